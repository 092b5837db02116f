// Runs beside the page, in the browser's audio thread: the microphone's samples, as one channel of 16-bit integers,
// in pieces of 80 ms.

class Microphone extends AudioWorkletProcessor {
  constructor() {
    super();
    this.piece = new Int16Array(Math.round(0.08 * sampleRate));
    this.filled = 0;
  }

  process([channels]) {
    for (let at = 0; channels.length && at < channels[0].length; at++) {
      const sum = channels.reduce((total, channel) => total + channel[at], 0);
      const sample = Math.max(-1, Math.min(1, sum / channels.length));
      this.piece[this.filled++] = Math.round(sample * 32767);
      if (this.filled === this.piece.length) {
        this.port.postMessage(this.piece.slice());
        this.filled = 0;
      }
    }
    return true;
  }
}

registerProcessor("linnet-microphone", Microphone);
