"""Plans the zone of bench/dns.ts with octoDNS, both sides in memory, and prints one JSON line. Arguments: record sets."""

import json
import resource
import sys
import time

import octodns
from octodns.provider.plan import Plan
from octodns.record import Record
from octodns.zone import Zone


class Target:
    SUPPORTS_GEO = False
    SUPPORTS_DYNAMIC = False
    id = "target"

    def supports(self, record):
        return True

    def _include_change(self, change):
        return True


def fill(zone, count, keeps):
    for i in range(count // 4):
        target = f"10.{(i >> 16) & 255}.{(i >> 8) & 255}.{i & 255}"
        text = f"heritage=external-dns,external-dns/owner=me,external-dns/resource=service/apps/s{i}"
        rows = [(f"f{i}", "A", target), (f"g{i}", "TXT", "v=1")]
        if keeps(i):
            rows += [(f"s{i}", "A", target), (f"a-s{i}", "TXT", text)]
        for name, kind, value in rows:
            data = {"type": kind, "ttl": 300, "values": [value]}
            zone.add_record(Record.new(zone, name, data))
    return zone


count = int(sys.argv[1])
existing = fill(Zone("bench.example.net.", []), count, lambda i: True)
desired = fill(Zone("bench.example.net.", []), count, lambda i: i % 100 != 0)
wall, cpu = time.perf_counter(), time.process_time()
changes = existing.changes(desired, Target())
plan = Plan(existing, desired, changes, True)
plan.raise_if_unsafe()
print(
    json.dumps(
        {
            "version": octodns.__version__,
            "ms": round((time.perf_counter() - wall) * 1000),
            "cpu": round((time.process_time() - cpu) * 1000),
            "mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
            "deletes": plan.change_counts["Delete"],
        }
    )
)
