import { createSocket } from "node:dgram";
import { once } from "node:events";
import * as packet from "dns-packet";
import { decodeName, type Fqdn } from "#shared/dns/fqdn.ts";
import type { RecordSet } from "#shared/dns/record-set.ts";
import { zoneAnswer } from "#shared/twin/zone-answer.ts";

/** A name server on loopback that tells what it is given, over UDP. */
export async function startDnsServer(
  zone: Fqdn,
  sets: () => readonly RecordSet[],
): Promise<Readonly<{ address: string; close: () => void }>> {
  const socket = createSocket("udp4");
  socket.on("message", (message, from) => {
    const query = packet.decode(message);
    const [question] = query.questions ?? [];
    if (question === undefined) return;
    const said = zoneAnswer(zone, sets(), { name: decodeName(question.name) as Fqdn, type: question.type });
    const rcode = { NOERROR: 0, SERVFAIL: 2, NXDOMAIN: 3, REFUSED: 5 }[said.status];
    const reply = packet.encode({
      type: "response",
      id: query.id ?? 0,
      flags: (said.authoritative ? packet.AUTHORITATIVE_ANSWER : 0) | rcode,
      questions: query.questions ?? [],
      answers: said.answer.flatMap(({ name, ttl, type, value }): packet.Answer[] =>
        type === "A" ? [{ name, ttl, type: "A", data: value }] : [],
      ),
    });
    socket.send(reply, from.port, from.address);
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return { address: `127.0.0.1#${socket.address().port}`, close: () => socket.close() };
}
