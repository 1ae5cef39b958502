import { createHmac, randomUUID } from "node:crypto";

/** A message of the Jupyter protocol 5.3 (jupyter-client.readthedocs.io, "Messaging in Jupyter"). */
export interface Message {
  header: Header;
  parentHeader: Partial<Header>;
  content: Record<string, unknown>;
}

export interface Header {
  msg_id: string;
  msg_type: string;
  session: string;
  username: string;
  date: string;
  version: string;
}

const DELIMITER = "<IDS|MSG>";

/** A new message header; the date is required by the protocol and is never written to a notebook. */
export function createHeader(type: string, session: string): Header {
  return {
    msg_id: randomUUID(),
    msg_type: type,
    session,
    username: "thoughtbook",
    date: new Date().toISOString(),
    version: "5.3",
  };
}

/** The frames of a message on the wire: delimiter, HMAC-SHA256 signature, header, parent header, metadata, content. */
export function encodeMessage(
  header: Header,
  content: Record<string, unknown>,
  key: string,
  parent: Partial<Header> = {},
): string[] {
  const parts = [header, parent, {}, content].map((part) => JSON.stringify(part));
  return [DELIMITER, sign(parts, key), ...parts];
}

/** The message in the frames, or undefined if they hold none or its signature is wrong. */
export function decodeMessage(frames: readonly Buffer[], key: string): Message | undefined {
  const start = frames.findIndex((frame) => frame.toString() === DELIMITER);
  const parts = frames.slice(start + 2, start + 6);
  if (start < 0 || parts.length < 4 || frames[start + 1]?.toString() !== sign(parts, key)) return undefined;
  const [header, parentHeader, , content] = parts.map((part) => JSON.parse(part.toString()));
  return { header, parentHeader, content };
}

function sign(parts: readonly (string | Buffer)[], key: string): string {
  const hmac = createHmac("sha256", key);
  for (const part of parts) hmac.update(part);
  return hmac.digest("hex");
}
