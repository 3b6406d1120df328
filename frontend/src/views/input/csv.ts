// A table as a file that spreadsheets open without running anything in it.

// Spreadsheets run cells that begin with = + - @, some also with the wide ones of Chinese and
// Japanese keyboards; a leading quote keeps text what it is.
function cell(value: string | number): string {
  const text = String(value);
  const safe = typeof value === "string" && /^[=+\-@\t\r＝＋－＠]/.test(text) ? "'" + text : text;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

export const csv = (rows: (string | number)[][]): string =>
  rows.map((row) => row.map(cell).join(",")).join("\r\n") + "\r\n";

export function saveText(name: string, text: string): void {
  const link = document.createElement("a");
  // The mark at the start tells spreadsheets that the file is UTF-8.
  link.href = URL.createObjectURL(new Blob(["\ufeff" + text], { type: "text/csv" }));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}
