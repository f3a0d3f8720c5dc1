//! A customer's answer does not depend on who shares the batch, on every backend.

use crate::shop::{engine, model};
use hearken::backend::{BACKENDS, Cores, Options};
use hearken::batch::PackedBatch;
use hearken::engine::Input;
use hearken::model::LoadedModel;
use hearken::patterns::ValueContext;
use hearken::text::Utterance;

const MESSAGES: &[&str] = &[
    "hi",
    "Where is my order #A-10293? It has not arrived yet and I need it for a birthday on Friday, this is the third time I ask!",
    "Do you have the blue shirt in size medium in stock?",
    "\u{1f621}\u{1f621}\u{1f621}",
    "thanks",
    "refund please, $49.90 to my card",
];

#[test]
fn a_batch_row_equals_the_single_run_bit_for_bit() {
    for name in ["tiny", "storefront-en"] {
        rows_equal_single_runs(&model(name));
    }
}

fn rows_equal_single_runs(model: &LoadedModel) {
    for backend in BACKENDS {
        if let Err(error) = backend.check() {
            println!("skipped backend {}: {error}", backend.name());
            continue;
        }
        let mut runner = backend.prepare(model, Options { cores: 3 }).unwrap();
        let encoded: Vec<_> = MESSAGES.iter().map(|text| model.text.encode(&Utterance::new(*text).unwrap(), &[]).unwrap()).collect();
        let together = runner.run(&PackedBatch::new(&encoded), Cores::One).unwrap();
        for (row, encoded) in encoded.iter().enumerate() {
            for cores in [Cores::One, Cores::All] {
                let alone = runner.run(&PackedBatch::new([encoded]), cores).unwrap();
                for head in &alone.heads {
                    let shared = together.row(head.kind, row).unwrap();
                    let what = format!("{} {:?} of {:?} on {cores:?}", backend.name(), head.kind, MESSAGES[row]);
                    assert_eq!(alone.row(head.kind, 0).unwrap(), shared, "{what}");
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_at_once_get_what_each_gets_alone() {
    let engine = std::sync::Arc::new(engine("tiny", 4096));
    let input =
        |text: &str| Input { text: Utterance::new(text).unwrap(), context: vec![], values: ValueContext { now: None, region: None } };
    let mut alone = Vec::new();
    for text in MESSAGES {
        alone.push(engine.classify(vec![input(text)]).await.unwrap().remove(0).prediction);
    }
    let tasks: Vec<_> = (0..64)
        .map(|n| {
            let engine = std::sync::Arc::clone(&engine);
            tokio::spawn(async move {
                let texts: Vec<_> = (0..8).map(|i| MESSAGES[(n + i) % MESSAGES.len()]).collect();
                let outcomes = engine
                    .classify(
                        texts
                            .iter()
                            .map(|text| Input {
                                text: Utterance::new(*text).unwrap(),
                                context: vec![],
                                values: ValueContext { now: None, region: None },
                            })
                            .collect::<Vec<_>>(),
                    )
                    .await;
                (n, outcomes.unwrap())
            })
        })
        .collect();
    for task in tasks {
        let (n, outcomes) = task.await.unwrap();
        for (i, outcome) in outcomes.into_iter().enumerate() {
            assert_eq!(outcome.prediction, alone[(n + i) % MESSAGES.len()]);
        }
    }
}
