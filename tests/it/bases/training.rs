//! Training starts from a checkpoint of any family.

use super::{fixture, fixtures};
use hearken::eval::Report;
use hearken::import::base;
use hearken::model::{LoadedModel, Pooling};
use hearken::train::{Job, Observer, Outcome, Progress, Recipe, TrainingDevice, run};

/// Remembers the mean loss of each epoch.
#[derive(Default)]
struct Losses(Vec<f64>);

impl Observer for Losses {
    fn prepared(&mut self, _: usize, _: usize, _: &str) {}

    fn step(&mut self, progress: Progress) {
        self.0.push(progress.loss);
    }

    fn stage(&mut self, _: &str) {}
    fn epoch(&mut self, _: u32, _: Option<&Report>, _: bool) {}

    fn interrupted(&self) -> bool {
        false
    }
}

#[test]
fn training_starts_from_any_checkpoint() {
    let data = tempfile::tempdir().unwrap();
    let row = |i: usize| {
        let (text, intent, mood) = [("where is my order", "track", "neutral"), ("refund me now!", "refund", "negative")][i % 2];
        format!("{{\"text\": \"{text} {i}\", \"intent\": \"{intent}\", \"sentiment\": \"{mood}\"}}\n")
    };
    std::fs::write(data.path().join("train.jsonl"), (0..16).map(row).collect::<String>()).unwrap();
    std::fs::write(data.path().join("valid.jsonl"), (16..20).map(row).collect::<String>()).unwrap();
    for name in fixtures() {
        let out = data.path().join(&name);
        let recipe = Recipe {
            epochs: 4,
            batch_rows: 16,
            learning_rate: 1e-3,
            max_tokens: 64,
            dropout: 0.0,
            least_steps: 0,
            label_names: false,
            ..Recipe::default()
        };
        let job = Job {
            device: TrainingDevice::Cpu,
            data: vec![data.path().to_owned()],
            base: fixture(&name),
            teacher: None,
            out: out.clone(),
            recipe,
            seed: 1,
            resume: false,
            force: false,
            commit: None,
        };
        let mut losses = Losses::default();
        assert!(matches!(run(&job, &mut losses).unwrap_or_else(|error| panic!("{name}: {error:#}")), Outcome::Finished(_)), "{name}");
        assert_eq!(losses.0.len(), 4, "{name}");
        assert!(losses.0.iter().all(|loss| loss.is_finite()) && losses.0[3] < losses.0[0], "{name}: {:?}", losses.0);
        let model = LoadedModel::open(&out).unwrap();
        let wanted = if name == "distilbert" { Pooling::Cls } else { Pooling::Mean };
        assert_eq!(model.manifest.pooling, wanted, "{name}");
        assert!(!out.join("checkpoint").exists(), "{name}");
        let config: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(out.join("config.json")).unwrap()).unwrap();
        let foreign = base(&fixture(&name), &data.path().join("again")).unwrap().translated;
        assert_eq!(foreign.is_none(), name == "deberta-v3", "{name}: only DeBERTa without a prefix is hearken's layout as it is");
        assert_eq!(config["hearken"]["translated_from"].as_str(), foreign.as_deref(), "{name}: {config}");
        assert_eq!(config["hearken"]["sha256"].is_object(), foreign.is_some(), "{name}: {config}");
        let again = base(&out, &data.path().join("unused")).unwrap();
        assert_eq!((again.path, again.translated), (out, None), "{name}: its result is a base as it is");
    }
}
