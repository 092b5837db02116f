// Runs Linnet's model files from JavaScript: onnxruntime-web in Node 20 or newer, and no Python.
//
// Once, to bring onnxruntime-web:
//
//     npm ci --silent --prefix demos/node
//
// A detector hears trigger words in a recording (WAV, 16 kHz, one channel, 16 bits), a captioner says what is in
// a picture (PPM, of the size that the model looks at), a translator translates a sentence:
//
//     node demos/node/linnet.mjs runtime/linnet/models/alexa-computer-jarvis-snowboy.onnx demos/sample.wav
//     node demos/node/linnet.mjs runtime/linnet/models/captioner.onnx photo.ppm
//     node demos/node/linnet.mjs runtime/linnet/models/de-en.onnx "Ein Hund läuft am Strand."
//
// Any program for pictures writes PPM. With Pillow:
//
//     python -c "from PIL.Image import open; open('demos/photo.jpg').convert('RGB').resize((224, 224), 2).save('photo.ppm')"
//
// From another program, in a browser too if it fetches the files instead of reading them:
//
//     const captioner = await load("captioner.onnx");
//     const { text, score } = await captioner.caption(pixels); // red, green, blue; row by row
//
// All that decides stands in the file: its card is JSON in the metadata of the ONNX file (docs/model-file.md).
// What onnxruntime leaves to do is here and in two small modules: pieces.mjs cuts sentences, protobuf.mjs finds
// the card. Files exported with --precision fp32 are faster here than the 8-bit ones that ship.

import { readFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";
import { joined, Pieces } from "./pieces.mjs";
import { fields, text } from "./protobuf.mjs";

const ort = await import("onnxruntime-web").catch((error) => {
  if (error?.code !== "ERR_MODULE_NOT_FOUND" || !isProgram()) throw error;
  console.error("linnet.mjs: onnxruntime-web is not installed: npm ci --silent --prefix demos/node");
  process.exit(2);
});
ort.env.wasm.numThreads = 1; // these networks are too small for more to help
const OPTIONS = { logSeverityLevel: 3 }; // errors, without warnings

const END = 2; // the id that ends a sentence; those below, padding and start, have no text

/** Opens a model file as what its card says it is. */
export async function load(path) {
  const bytes = await readFile(path);
  const card = cardOf(bytes);
  const kind = { trigger: TriggerWord, caption: Captioner, translate: Translator }[card.task];
  if (!kind) throw new Error(`a model for another task: ${card.task}`);
  return new kind(card, await ort.InferenceSession.create(bytes, OPTIONS));
}

/** The model card. onnxruntime-web does not give metadata, but they are easily found: field 14 of the file. */
export function cardOf(bytes) {
  for (const [number, value] of fields(bytes)) {
    if (number !== 14) continue;
    const entry = new Map(fields(value));
    if (text(entry.get(1)) === "linnet") return JSON.parse(text(entry.get(2)));
  }
  throw new Error("there is no Linnet model card in this file");
}

/** Hears trigger words in a stream of samples. */
export class TriggerWord {
  constructor(card, session) {
    this.card = card;
    this.session = session;
    this.settings = card.trigger;
    this.keywords = this.settings.keywords;
    const rate = this.settings.default_false_alarms_per_hour;
    this.thresholds = this.keywords.map((keyword) => {
      const curve = this.settings.curves[keyword];
      const point = curve.findLast((each) => each.false_alarms_per_hour <= rate) ?? curve[0];
      return Math.fround(point.threshold); // scores are 32-bit floats, too
    });
    this.reset();
  }

  /** Forgets everything heard. */
  reset() {
    // States are inputs of the graph, and what comes out goes in again: state_x becomes next_x.
    this.states = {};
    for (const { name, shape } of this.session.inputMetadata) {
      if (name === "audio") continue;
      const sizes = [1, ...shape.slice(1)];
      const zeros = new Float32Array(sizes.reduce((product, size) => product * size));
      this.states[name] = new ort.Tensor("float32", zeros, sizes);
    }
    this.recent = []; // the last rows of scores, of which the mean is taken
    this.steps = 0;
    this.silentUntil = this.keywords.map(() => 0);
    this.held = this.keywords.map(() => false);
  }

  /** The scores of the next samples (Float32Array, -1 to 1, a multiple of step_samples): a row per step. */
  async process(samples) {
    const audio = new ort.Tensor("float32", samples, [1, samples.length]);
    const outputs = await this.session.run({ audio, ...this.states });
    for (const name of Object.keys(this.states)) this.states[name] = outputs[name.replace("state_", "next_")];
    const { data, dims } = outputs.scores;
    const rows = Array.from({ length: dims[1] }, (_, row) => [...data.slice(row * dims[2], (row + 1) * dims[2])]);
    return rows.map((row) => this.#smooth(row));
  }

  /** The keywords heard in the next samples: one event per utterance. */
  async detect(samples) {
    const step_s = this.settings.step_samples / this.settings.sample_rate;
    const silent = Math.max(1, Math.ceil(this.settings.refractory_s / step_s - 1e-6));
    const events = [];
    for (const scores of await this.process(samples)) {
      scores.forEach((score, column) => {
        const above = score >= this.thresholds[column];
        this.held[column] &&= above;
        if (!above || this.held[column] || this.steps < this.silentUntil[column]) return;
        events.push({ keyword: this.keywords[column], time_s: (this.steps + 1) * step_s, score });
        this.held[column] = true;
        this.silentUntil[column] = this.steps + silent;
      });
      this.steps++;
    }
    return events;
  }

  #smooth(row) {
    this.recent = [...this.recent, row].slice(-this.settings.smoothing_steps);
    return row.map((_, column) => {
      return this.recent.reduce((sum, each) => sum + each[column], 0) / this.settings.smoothing_steps;
    });
  }
}

/** What captioners and translators have in common: one call of the graph is the whole search. */
class Search {
  constructor(card, session) {
    this.card = card;
    this.session = session;
    this.settings = card[card.task];
  }

  /** The best hypothesis for a source of a batch of one: its ids and its score. */
  async search(source, beam = this.settings.beam) {
    const { max_length, length_penalty, coverage_penalty } = this.settings;
    const count = (value) => new ort.Tensor("int64", [BigInt(value)], []);
    const number = (value) => new ort.Tensor("float32", [value], []);
    const feeds = { beam: count(beam), max_length: count(max_length), length_penalty: number(length_penalty) };
    if (coverage_penalty !== undefined) feeds.coverage_penalty = number(coverage_penalty);
    const { tokens, scores } = await this.session.run({ ...source, ...feeds });
    const ids = [...tokens.data.slice(0, tokens.dims[2])].map(Number); // the first of the beam is the best
    const said = ids.slice(0, [...ids, END].indexOf(END));
    return { ids: said.filter((id) => id > END), score: scores.data[0] };
  }
}

/** Says what is in a picture. */
export class Captioner extends Search {
  /** What is in a picture, given as its red, green and blue: a Uint8Array of image_size x image_size x 3. */
  async caption(pixels, beam) {
    const side = this.settings.image_size;
    const image = new ort.Tensor("uint8", pixels, [1, side, side, 3]);
    const { ids, score } = await this.search({ image }, beam);
    return { text: joined(ids.map((id) => this.settings.vocabulary[id])), score };
  }
}

/** Translates one sentence at a time. */
export class Translator extends Search {
  constructor(card, session) {
    super(card, session);
    this.pieces = new Pieces(Uint8Array.from(atob(this.settings.sentencepiece), (each) => each.charCodeAt()));
  }

  /** The translation of a sentence; longer texts are to be cut into sentences first. */
  async translate(sentence, beam) {
    const pieces = this.pieces.encode(sentence), most = this.settings.max_source;
    if (pieces.length > most) throw new Error(`a sentence of ${pieces.length} pieces; this model takes ${most}`);
    const ids = BigInt64Array.from([...pieces, END], BigInt);
    const source = new ort.Tensor("int64", ids, [1, ids.length]);
    const found = await this.search({ source }, beam);
    return { text: joined(found.ids.map((id) => this.pieces.texts[id])), score: found.score };
  }
}

/** The samples of a WAV file, which must be 16 kHz, mono and of 16 bits: a Float32Array, -1 to 1. */
export function samplesOf(wav) {
  const view = new DataView(wav.buffer, wav.byteOffset, wav.length);
  let format;
  for (let at = 12; at + 8 <= wav.length; ) {
    const kind = text(wav.subarray(at, at + 4)), size = view.getUint32(at + 4, true);
    at += 8;
    if (kind === "fmt ") {
      format = [view.getUint16(at, true), view.getUint16(at + 2, true), view.getUint32(at + 4, true)];
      format.push(view.getUint16(at + 14, true));
    } else if (kind === "data" && String(format) === "1,1,16000,16") {
      const length = Math.floor(Math.min(size, wav.length - at) / 2);
      return Float32Array.from({ length }, (_, each) => view.getInt16(at + 2 * each, true) / 32768);
    }
    at += size + (size % 2);
  }
  throw new Error("a recording must be WAV with 16 kHz, one channel and 16 bits");
}

/** The pixels of a PPM picture of side x side. */
export function pixelsOf(ppm, side) {
  const head = /^P6\s+(\d+)\s+(\d+)\s+255\s/.exec(text(ppm.subarray(0, 40)));
  const pixels = head && ppm.subarray(head[0].length);
  if (!head || head[1] != side || head[2] != side || pixels.length !== side * side * 3) {
    throw new Error(`a picture must be a PPM file (P6) of ${side} x ${side} pixels`);
  }
  return new Uint8Array(pixels);
}

async function main(...words) {
  const [path, input] = words;
  if (words.length !== 2) throw new Error("usage: linnet.mjs MODEL.onnx (RECORDING.wav | PICTURE.ppm | SENTENCE)");
  const model = await load(path);
  if (model instanceof Captioner) {
    console.log((await model.caption(pixelsOf(await readFile(input), model.settings.image_size))).text);
  } else if (model instanceof Translator) {
    console.log((await model.translate(input)).text);
  } else {
    const heard = samplesOf(await readFile(input)), chunk = model.settings.chunk_samples;
    // Half a second of silence follows, since a word is reported soon after its end.
    const samples = new Float32Array(Math.ceil((heard.length + 8000) / chunk) * chunk);
    samples.set(heard);
    for (let at = 0; at < samples.length; at += chunk) {
      for (const { keyword, time_s, score } of await model.detect(samples.subarray(at, at + chunk))) {
        console.log(`${time_s.toFixed(2).padStart(8)} s  ${keyword}  ${score.toFixed(2)}`);
      }
    }
  }
}

/** Whether this is what Node was told to run, and not a part of another program. */
function isProgram() {
  return import.meta.url === pathToFileURL(process.argv[1] ?? "").href;
}

if (isProgram()) {
  await main(...process.argv.slice(2)).catch((error) => {
    console.error(`linnet.mjs: ${error?.message ?? error}`);
    process.exitCode = 2;
  });
}
