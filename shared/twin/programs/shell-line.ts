/** One simple command of a line, how it hangs on the one before, and where its output goes. */
export type SimpleCommand = Readonly<{ after: ";" | "&&" | "||"; words: readonly string[]; to?: string }>;

/**
 * Reads lists of simple commands (`a && b || c; d >file`) with single quotes, as far as the catalogue's scripts go;
 * undefined for anything else of the shell's grammar.
 */
export function readShellLine(line: string): readonly SimpleCommand[] | undefined {
  const token = /\s*(?:(&&|\|\||;)|(\d?>&\d|\d?[<>])|((?:'[^']*'|\\.|[^\s;&|<>'"\\$`(){}*?#])+))/y;
  const commands: SimpleCommand[] = [];
  let after: SimpleCommand["after"] = ";";
  let words: string[] = [];
  let to: string | undefined;
  let redirect: string | undefined;
  const end = (next: SimpleCommand["after"]): void => {
    if (words.length > 0) commands.push({ after, words, ...(to === undefined ? {} : { to }) });
    [after, words, to] = [next, [], undefined];
  };
  while (token.lastIndex < line.trimEnd().length) {
    const [, operator, redirection, word] = token.exec(line) ?? [];
    if (operator !== undefined) end(operator as SimpleCommand["after"]);
    else if (redirection !== undefined) redirect = redirection.includes("&") ? undefined : redirection;
    else if (word !== undefined) {
      const text = word.replaceAll(
        /'([^']*)'|\\(.)/g,
        (_, quoted?: string, one?: string) => quoted ?? one ?? "",
      );
      if (redirect === undefined) words.push(text);
      else if (redirect.endsWith(">")) to = text;
      redirect = undefined;
    } else return undefined;
  }
  end(";");
  return commands;
}
