// The addresses of the server.
import { Refused } from "./latest";

export async function ask<Found>(address: string, body?: unknown, signal?: AbortSignal): Promise<Found> {
  const response = await fetch(address, body === undefined ? { signal } : {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
    signal,
  });
  const text = await response.text();
  let found: unknown = null;
  try { found = JSON.parse(text); } catch { /* a refusal may be plain text */ }
  if (response.ok && found !== null) return found as Found;
  const said = (found as { error?: unknown } | null)?.error;
  throw new Refused(typeof said === "string" ? said : text.trim().slice(0, 300), response.status);
}
