// Cuts a sentence into the pieces of a SentencePiece model, and makes text of pieces again.

import { fields, text } from "./protobuf.mjs";

const NORMAL = 1, BYTE = 6; // kinds of pieces; the others are padding, start, end and unknown
const WORD = "\u2581"; // begins a piece that starts a new word
const BLANKS = /[\s\p{Cc}\u061c\u200b\u200c\u200e\u200f\ufffd]+/u;

export class Pieces {
  texts = []; // by id
  #ids = new Map();
  #scores = []; // by id
  #unknown; // score of a letter that is in no piece
  #bytes = []; // the id of each byte, which spell such a letter
  #longest = 0;

  /** Reads a SentencePiece model of the unigram kind, which is what Linnet's translators have. */
  constructor(model) {
    for (const [number, value] of fields(model)) {
      if (number === 1) this.#add(new Map(fields(value)));
    }
    this.#unknown = Math.min(...this.#scores) - 10; // as SentencePiece has it
  }

  #add(piece) {
    const written = text(piece.get(1));
    const kind = piece.get(3) ?? NORMAL;
    if (kind === NORMAL) {
      this.#ids.set(written, this.texts.length);
      this.#longest = Math.max(this.#longest, [...written].length);
    } else if (kind === BYTE) {
      this.#bytes.push(this.texts.length);
    }
    const score = piece.get(2);
    this.#scores.push(new DataView(score.buffer, score.byteOffset).getFloat32(0, true));
    this.texts.push(written);
  }

  /** The ids of a sentence: of all ways to cut it the likeliest (Kudo 2018, https://arxiv.org/abs/1804.10959). */
  encode(sentence) {
    // SentencePiece has rules of its own for characters. They are Unicode's NFKC, with more kinds of blanks.
    const words = sentence.normalize("NFKC").split(BLANKS).filter(Boolean);
    const letters = [...words.map((word) => WORD + word).join("")];
    const best = [{ score: 0 }]; // the last piece of the best cut of the first 0, 1, ... letters
    for (let end = 1; end <= letters.length; end++) {
      for (let start = Math.max(0, end - this.#longest); start < end; start++) {
        const piece = letters.slice(start, end).join("");
        const id = this.#ids.get(piece);
        if (id === undefined && start < end - 1) continue;
        const score = best[start].score + (id === undefined ? this.#unknown : this.#scores[id]);
        if (best[end] && best[end].score >= score) continue;
        best[end] = { start, score, ids: id === undefined ? this.#spelled(piece) : [id] };
      }
    }
    const ids = [];
    for (let end = letters.length; end; end = best[end].start) ids.unshift(...best[end].ids);
    return ids;
  }

  #spelled(letter) {
    return [...new TextEncoder().encode(letter)].map((byte) => this.#bytes[byte]);
  }
}

/** The text that pieces make, on one line; one like <0xE2> stands for a byte. */
export function joined(pieces) {
  const bytes = pieces.flatMap((piece) => {
    const byte = /^<0x([0-9A-F]{2})>$/.exec(piece);
    return byte ? [parseInt(byte[1], 16)] : [...new TextEncoder().encode(piece)];
  });
  return text(Uint8Array.from(bytes)).replaceAll(WORD, " ").replace(/[\p{Cc}\u2028\u2029]/gu, " ").trim();
}
