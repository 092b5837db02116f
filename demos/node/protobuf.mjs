// Reads the fields of a protobuf message: https://protobuf.dev/programming-guides/encoding

const BYTES8 = 1, BYTES4 = 5;

/** The fields of a message in a Uint8Array, as [number, value]: a Number, or a Uint8Array of what it holds. */
export function* fields(bytes) {
  let at = 0;
  const varint = () => {
    for (let value = 0, scale = 1; at < bytes.length; scale *= 128) {
      const byte = bytes[at++];
      value += (byte & 127) * scale; // beyond 2 ** 53 not exact, which no field read here needs
      if (byte < 128) return value;
    }
    throw new Error("a message that ends too early");
  };
  while (at < bytes.length) {
    const tag = varint();
    const number = Math.floor(tag / 8), wire = tag % 8;
    if (wire === 0) {
      yield [number, varint()];
      continue;
    }
    const size = wire === 2 ? varint() : wire === BYTES4 ? 4 : wire === BYTES8 ? 8 : NaN;
    if (!(at + size <= bytes.length)) throw new Error("a message that ends too early");
    yield [number, bytes.subarray(at, (at += size))];
  }
}

/** Bytes as text. */
export const text = (bytes) => new TextDecoder().decode(bytes);
