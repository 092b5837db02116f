// Hears trigger words through onnxruntime's C++ API alone, in raw audio on standard input: 16 kHz, mono, 16 bits.
// All that decides stands in the model file: its card is JSON in the metadata. How to build this: docs/deploying.md
#include <onnxruntime_cxx_api.h>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <numeric>

struct Keyword {
  std::string name;
  float threshold;
  std::vector<float> recent;  // its last scores, of which the mean is compared with the threshold
  long silent_until = 0;      // the step before which it is not reported again
  bool held = false;          // it was reported, and has been above the threshold ever since
};

int main(int count, char** arguments) try {
  if (count != 2) throw std::invalid_argument("usage: listen MODEL.onnx < RECORDING.raw");
  Ort::Env env(ORT_LOGGING_LEVEL_FATAL);
  Ort::SessionOptions options;
  options.SetIntraOpNumThreads(1);
  Ort::Session session(env, arguments[1], options);
  Ort::AllocatorWithDefaultOptions memory;
  const auto text = session.GetModelMetadata().LookupCustomMetadataMapAllocated("linnet", memory);
  if (!text) throw std::invalid_argument("there is no Linnet model card in this file");
  const auto card = nlohmann::json::parse(text.get()).at("trigger");
  const long step_samples = card["step_samples"], smoothing_steps = card["smoothing_steps"];
  const double step_s = double(step_samples) / card["sample_rate"].get<double>();
  const long refractory = std::max(1L, long(std::ceil(card["refractory_s"].get<double>() / step_s - 1e-6)));
  std::vector<Keyword> keywords;
  for (const std::string name : card["keywords"]) {
    const auto& curve = card["curves"][name];  // with false alarms that rise from point to point
    keywords.push_back({name, curve[0]["threshold"], std::vector<float>(smoothing_steps)});
    for (const auto& point : curve)
      if (point["false_alarms_per_hour"] <= card["default_false_alarms_per_hour"])
        keywords.back().threshold = point["threshold"];
  }

  // States are inputs of the graph, zeros at first, and what comes out goes in again: next_x becomes state_x.
  std::vector<std::string> in, out;
  std::vector<Ort::Value> values;
  for (size_t each = 0; each < session.GetInputCount(); ++each) {
    in.push_back(session.GetInputNameAllocated(each, memory).get());
    out.push_back(in[each] == "audio" ? "scores" : "next_" + in[each].substr(6));
    auto shape = session.GetInputTypeInfo(each).GetTensorTypeAndShapeInfo().GetShape();
    shape[0] = 1;  // one stream
    if (in[each] == "audio") shape[1] = step_samples;
    values.push_back(Ort::Value::CreateTensor<float>(memory, shape.data(), shape.size()));
    const size_t size = values[each].GetTensorTypeAndShapeInfo().GetElementCount();
    std::fill_n(values[each].GetTensorMutableData<float>(), size, 0.0f);
  }
  std::vector<const char*> inputs, outputs;
  for (size_t i = 0; i < in.size(); ++i) inputs.push_back(in[i].c_str()), outputs.push_back(out[i].c_str());
  const size_t audio = std::find(in.begin(), in.end(), "audio") - in.begin();
  std::vector<int16_t> pcm(step_samples);
  long silence = 8000 / step_samples + 1;  // half a second follows, since words are reported soon after their end
  for (long step = 0; silence > 0; ++step) {
    const size_t got = std::fread(pcm.data(), 2, pcm.size(), stdin);
    if (got == 0) --silence;
    std::fill(pcm.begin() + got, pcm.end(), int16_t(0));
    float* samples = values[audio].GetTensorMutableData<float>();
    std::transform(pcm.begin(), pcm.end(), samples, [](int16_t each) { return each / 32768.0f; });
    auto results = session.Run({}, inputs.data(), values.data(), inputs.size(), outputs.data(), outputs.size());
    const float* scores = results[audio].GetTensorData<float>();
    for (auto& [name, threshold, recent, silent_until, held] : keywords) {
      recent[step % smoothing_steps] = *scores++;
      const float score = std::accumulate(recent.begin(), recent.end(), 0.0f) / smoothing_steps;
      held = held && score >= threshold;
      if (score < threshold || held || step < silent_until) continue;
      std::printf("%8.2f s  %s  %.2f\n", (step + 1) * step_s, name.c_str(), score);
      std::fflush(stdout);
      held = true, silent_until = step + refractory;
    }
    std::swap(results[audio], values[audio]);
    values = std::move(results);
  }
} catch (const std::exception& error) {
  return std::fprintf(stderr, "listen: %s\n", error.what()), 2;
}
