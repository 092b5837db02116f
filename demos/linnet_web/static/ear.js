// <linnet-ear model="KEY">: a button that starts and stops listening, the live scores, and what was heard.
//
// The samples go to /linnet/listen over a WebSocket; what comes back is drawn. channel.py says what is exchanged.

const SHOWN_S = 12; // seconds of scores on the plot
const MOST_LINES = 100; // in the list of detections
const BEHIND_BYTES = 1_000_000; // unsent samples, about ten seconds, with which listening makes no sense any more

const clock = (s) => `${Math.floor(s / 60)}:${(s % 60).toFixed(1).padStart(4, "0")}`;

class Ear extends HTMLElement {
  static observedAttributes = ["model"];

  attributeChangedCallback(_, before) {
    if (!before) return;
    // Another model: Gradio keeps this element, and empties it.
    this.running = false;
    this.release();
    this.resized.disconnect();
    queueMicrotask(() => this.connectedCallback());
  }

  connectedCallback() {
    this.innerHTML = `
      <div class="linnet-ear">
        <div class="bar">
          <button type="button" class="listen">Start listening</button>
          <div class="level" title="how loud it is"><i></i></div>
          <span class="time"></span>
        </div>
        <div class="screen">
          <canvas class="linnet-live" role="img" aria-label="live scores"></canvas>
          <p class="hint"></p>
        </div>
        <p class="linnet-legend"></p>
        <p class="linnet-problem" role="alert" hidden></p>
        <ol class="detections" aria-live="polite"></ol>
      </div>`;
    this.button = this.querySelector("button");
    this.canvas = this.querySelector("canvas");
    this.hint = this.querySelector(".hint");
    this.hint.textContent = this.getAttribute("hint");
    this.button.addEventListener("click", () => (this.running ? this.stop() : this.start()));
    this.resized = new ResizeObserver(() => this.draw());
    this.resized.observe(this.canvas);
    this.forget();
  }

  disconnectedCallback() {
    this.resized.disconnect();
    this.stop();
  }

  forget() {
    this.about = null;
    this.rows = [];
    this.marks = [];
    this.seconds = 0;
    this.querySelector("ol").innerHTML = "";
    this.querySelector(".time").textContent = "";
    this.querySelector(".linnet-legend").innerHTML = "";
    this.querySelector(".linnet-problem").hidden = true;
  }

  async start() {
    this.forget();
    this.running = true;
    this.button.textContent = "Stop";
    this.button.classList.add("on");
    try {
      if (!navigator.mediaDevices) {
        throw new Error("A browser gives a page its microphone only on 127.0.0.1 or over https.");
      }
      this.stream = await navigator.mediaDevices.getUserMedia({
        audio: { channelCount: 1, echoCancellation: false, noiseSuppression: false },
      });
      this.audio = new AudioContext();
      await this.audio.audioWorklet.addModule(new URL("microphone.js", import.meta.url));
      if (!this.running) return this.release();
      await this.connect();
    } catch (error) {
      this.stop(problem(error));
    }
  }

  connect() {
    const address = new URL("listen", import.meta.url);
    address.protocol = address.protocol.replace("http", "ws");
    this.line = new WebSocket(address);
    this.line.onopen = () =>
      this.line.send(JSON.stringify({ model: this.getAttribute("model"), rate: this.audio.sampleRate }));
    this.line.onmessage = ({ data }) => this.answered(JSON.parse(data));
    this.line.onclose = () => this.running && this.stop("Linnet hung up; is it still running?");
    this.microphone = new AudioWorkletNode(this.audio, "linnet-microphone", { numberOfOutputs: 0 });
    this.microphone.port.onmessage = ({ data }) => this.heard(data);
  }

  heard(samples) {
    if (!this.running) return; // a last piece may still be on its way
    const loudness = Math.sqrt(samples.reduce((sum, each) => sum + each * each, 0) / samples.length) / 32768;
    const share = Math.max(0, 1 + (20 * Math.log10(loudness + 1e-9)) / 60); // 60 dB
    this.querySelector(".level i").style.width = `${100 * Math.min(1, share)}%`;
    if (this.line.bufferedAmount > BEHIND_BYTES) {
      this.stop("This machine is too busy to listen.");
    } else {
      this.line.send(samples);
    }
  }

  answered(message) {
    if (message.error) return this.stop(message.error);
    if (!this.about) {
      this.about = message;
      this.querySelector(".linnet-legend").replaceChildren(
        ...message.keywords.map((name, place) => element("span", name, `k${place % 8}`)),
      );
      this.audio.createMediaStreamSource(this.stream).connect(this.microphone);
      this.tick();
      return;
    }
    for (const scores of message.scores) {
      this.seconds += this.about.step_s;
      this.rows.push({ at: this.seconds, scores });
    }
    this.arrived = performance.now();
    while (this.rows.length && this.rows[0].at < this.seconds - SHOWN_S - 1) this.rows.shift();
    this.querySelector(".time").textContent = `listening · ${clock(this.seconds)}`;
    message.heard.forEach((found) => this.detected(found));
  }

  detected({ keyword, time_s, score }) {
    const colour = this.about.keywords.indexOf(keyword);
    this.marks = [...this.marks.filter(({ at }) => at > this.seconds - SHOWN_S - 2), { at: time_s, keyword, colour }];
    const line = element("li", "", `k${colour % 8}`);
    line.append(element("b", keyword), element("span", `at ${clock(time_s)}`), element("span", `score ${score.toFixed(2)}`));
    const list = this.querySelector("ol");
    list.prepend(line);
    while (list.children.length > MOST_LINES) list.lastChild.remove();
  }

  stop(sentence) {
    this.running = false;
    this.release();
    if (!this.button) return;
    this.button.textContent = "Start listening";
    this.button.classList.remove("on");
    this.querySelector(".level i").style.width = 0;
    this.querySelector(".time").textContent = this.seconds ? `stopped · ${clock(this.seconds)}` : "";
    const shown = this.querySelector(".linnet-problem");
    shown.textContent = sentence || "";
    shown.hidden = !sentence;
  }

  release() {
    this.line?.close();
    this.stream?.getTracks().forEach((track) => track.stop());
    if (this.audio?.state !== "closed") this.audio?.close();
    this.line = this.stream = this.audio = null;
  }

  tick() {
    if (!this.running) return;
    this.draw();
    requestAnimationFrame(() => this.tick());
  }

  draw() {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    const sharp = window.devicePixelRatio || 1;
    if (this.canvas.width !== Math.round(width * sharp)) this.canvas.width = Math.round(width * sharp);
    if (this.canvas.height !== Math.round(height * sharp)) this.canvas.height = Math.round(height * sharp);
    const pen = this.canvas.getContext("2d");
    const style = getComputedStyle(this);
    const colour = (place) => style.getPropertyValue(`--k${place % 8}`);
    pen.setTransform(sharp, 0, 0, sharp, 0, 0);
    pen.clearRect(0, 0, width, height);
    pen.font = `12px ${style.fontFamily}`;
    const [left, top, bottom] = [30, 26, height - 10];
    // Between answers the plot moves on with the time, so that it flows.
    const late = this.running && this.arrived ? Math.min(0.3, (performance.now() - this.arrived) / 1000) : 0;
    const x = (at) => width - ((this.seconds + late - at) / SHOWN_S) * (width - left);
    const y = (score) => Math.round(bottom - score * (bottom - top)) + 0.5; // sharp lines
    pen.lineWidth = 1;
    pen.fillStyle = style.getPropertyValue("--body-text-color-subdued");
    pen.strokeStyle = style.getPropertyValue("--grid");
    for (const score of [0, 0.5, 1]) {
      line(pen, [left, width], [y(score), y(score)]);
      pen.textAlign = "right";
      pen.fillText(score, left - 6, y(score) + 4);
    }
    this.hint.hidden = Boolean(this.about);
    if (!this.about) return;
    pen.save();
    pen.beginPath();
    pen.rect(left, 0, width - left, height);
    pen.clip();
    this.about.thresholds.forEach((threshold, place) => {
      pen.strokeStyle = colour(place);
      pen.globalAlpha = 0.5;
      pen.setLineDash([2, 5]);
      line(pen, [left, width], [y(threshold), y(threshold)]);
      pen.setLineDash([]);
      pen.globalAlpha = 1;
      pen.lineWidth = 2;
      line(pen, this.rows.map(({ at }) => x(at)), this.rows.map(({ scores }) => y(scores[place])));
      pen.lineWidth = 1;
    });
    pen.textAlign = "center";
    for (const { at, keyword, colour: place } of this.marks) {
      pen.fillStyle = pen.strokeStyle = colour(place);
      line(pen, [x(at), x(at)], [top - 4, bottom]);
      pen.fillText(keyword, x(at), top - 10);
    }
    pen.restore();
  }
}

function line(pen, xs, ys) {
  pen.beginPath();
  xs.forEach((x, place) => pen.lineTo(x, ys[place]));
  pen.stroke();
}

function element(name, words, colour = "") {
  const made = document.createElement(name);
  made.textContent = words;
  made.className = colour;
  return made;
}

function problem(error) {
  if (error.name === "NotAllowedError") return "The browser does not let this page use the microphone; allow it and try again.";
  if (error.name === "NotFoundError") return "This browser finds no microphone.";
  return error.message;
}

customElements.define("linnet-ear", Ear);
