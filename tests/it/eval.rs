//! Measures against scikit-learn and scipy, and `eval`, `compare` and `data stats` as their users run them.

use crate::shop::repository;
use hearken::eval::{Classification, Interval, Roc, expected_calibration_error, mcnemar, pearson, reliability, spearman};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output};

/// Distance that different orders of summation may make.
const CLOSE: f64 = 1e-9;

fn golden(group: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(repository("tests/corpus/golden/measures.json")).unwrap();
    let golden: Value = serde_json::from_str(&text).unwrap();
    match &golden[group] {
        Value::Array(cases) => cases.clone(),
        case => vec![case.clone()],
    }
}

fn close(what: &str, got: f64, wanted: &Value) {
    let wanted = wanted.as_f64().unwrap();
    assert!((got - wanted).abs() < CLOSE, "{what}: got {got}, wanted {wanted}, distance {:e}", (got - wanted).abs());
}

fn strings(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|item| item.as_str().unwrap()).collect()
}

fn floats(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|item| item.as_f64().unwrap()).collect()
}

/// Scores and whether they belong to a positive or are right.
#[expect(clippy::cast_possible_truncation, reason = "the scores are those of f32")]
fn scored(case: &Value, flag: &str) -> Vec<(f32, bool)> {
    let flags = case[flag].as_array().unwrap().iter().map(|flag| flag.as_bool().unwrap());
    floats(&case["score"]).into_iter().map(|score| score as f32).zip(flags).collect()
}

#[test]
fn labels_are_scored_as_scikit_learn_does() {
    for case in golden("labels") {
        let pairs = strings(&case["known"]).into_iter().zip(strings(&case["said"]));
        let scores = Classification::of(pairs);
        close("accuracy", scores.accuracy, &case["accuracy"]);
        close("macro-F1", scores.macro_f1, &case["macro_f1"]);
        close("micro-F1", scores.micro_f1, &case["micro_f1"]);
        close("weighted F1", scores.weighted_f1, &case["weighted_f1"]);
        for (name, wanted) in case["labels"].as_object().unwrap() {
            let counts = &scores.labels[name];
            close(name, counts.precision(), &wanted[0]);
            close(name, counts.recall(), &wanted[1]);
            close(name, counts.f1(), &wanted[2]);
            assert_eq!(Some(counts.support() as u64), wanted[3].as_u64());
        }
        let mut confusions: Vec<_> = scores.confusions.iter().map(|c| (c.known.as_str(), c.said.as_str(), c.count as u64)).collect();
        confusions.sort_unstable();
        let wanted = case["confusions"].as_array().unwrap().iter();
        let mut wanted: Vec<_> = wanted.map(|c| (c[0].as_str().unwrap(), c[1].as_str().unwrap(), c[2].as_u64().unwrap())).collect();
        wanted.sort_unstable();
        assert_eq!(confusions, wanted);
    }
}

#[test]
fn separation_is_measured_as_scikit_learn_does() {
    for case in golden("scores") {
        let roc = Roc::of(&scored(&case, "positive")).unwrap();
        close("AUROC", roc.area(), &case["auroc"]);
        for (bound, wanted) in case["recall_at"].as_object().unwrap() {
            close(bound, roc.recall_at(bound.parse().unwrap()), wanted);
        }
    }
}

#[test]
fn calibration_is_measured_as_scikit_learn_does() {
    for case in golden("confidence") {
        let (pairs, bins) = (scored(&case, "right"), usize::try_from(case["bins"].as_u64().unwrap()).unwrap());
        close("expected calibration error", expected_calibration_error(&pairs, bins), &case["error"]);
        let bins = reliability(&pairs, bins);
        let counts: Vec<_> = bins.iter().map(|bin| bin.count as u64).collect();
        assert_eq!(counts, case["counts"].as_array().unwrap().iter().map(|n| n.as_u64().unwrap()).collect::<Vec<_>>());
        let filled: Vec<_> = bins.iter().filter(|bin| bin.count > 0).collect();
        for (index, bin) in filled.iter().enumerate() {
            close("accuracy of a bin", bin.accuracy, &case["accuracy"][index]);
            close("confidence of a bin", bin.confidence, &case["confidence"][index]);
        }
    }
}

#[test]
fn correlations_tests_and_percentiles_are_those_of_scipy_and_numpy() {
    for case in golden("series") {
        let pairs: Vec<_> = floats(&case["known"]).into_iter().zip(floats(&case["said"])).collect();
        close("Pearson", pearson(&pairs).unwrap(), &case["pearson"]);
        close("Spearman", spearman(&pairs).unwrap(), &case["spearman"]);
    }
    for case in golden("mcnemar") {
        let count = |index: usize| usize::try_from(case[index].as_u64().unwrap()).unwrap();
        close(&format!("McNemar of {case}"), mcnemar(count(0), count(1)), &case[2]);
    }
    for case in golden("interval") {
        let interval = Interval::of(floats(&case["values"])).unwrap();
        close("2.5th percentile", interval.low, &case["low"]);
        close("97.5th percentile", interval.high, &case["high"]);
    }
}

fn hearken(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_hearken")).args(args).current_dir(repository(".")).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Rows with something that a page must escape, and mistakes for any model.
fn data(folder: &Path) -> String {
    let mut rows: Vec<String> =
        std::fs::read_to_string(repository("training-data/smoke/train.jsonl")).unwrap().lines().map(str::to_owned).collect();
    rows.push(
        r#"{"text": "<b>where</b> is my \"order\" & why", "intent": "no_such_intent", "sentiment": "positive", "entities": [{"start": 3, "end": 8, "label": "thing"}], "escalate": true}"#
            .to_owned(),
    );
    rows.push(r#"{"text": "what do you think of the moon", "intent": "oos", "sentiment": 0.1, "emotions": ["joy"]}"#.to_owned());
    std::fs::write(folder.join("train.jsonl"), rows.join("\n")).unwrap();
    std::fs::write(folder.join("test.jsonl"), rows.join("\n")).unwrap();
    folder.to_str().unwrap().to_owned()
}

/// Whether every tag is closed in order and nothing is fetched.
fn check_page(page: &str) {
    for elsewhere in [" src=", " href=", "<script", "<link", "<img", "@import", "url(", "http://", "https://"] {
        assert!(!page.contains(elsewhere), "the page has {elsewhere}");
    }
    let (head, rest) = page.split_once("<style>").unwrap();
    let markup = format!("{head}{}", rest.split_once("</style>").unwrap().1);
    let mut open = Vec::new();
    for tag in markup.split('<').skip(1).map(|rest| rest.split_once('>').unwrap().0) {
        match tag.split_whitespace().next().unwrap() {
            "!DOCTYPE" | "meta" => {}
            end if end.starts_with('/') => assert_eq!(open.pop(), Some(&end[1..])),
            name => open.push(name),
        }
    }
    assert!(open.is_empty(), "{open:?}");
    assert_eq!(markup.matches("<svg").count(), markup.matches("<desc ").count());
}

#[test]
fn one_report_is_shown_three_ways() {
    let folder = tempfile::tempdir().unwrap();
    let (data, html) = (data(folder.path()), folder.path().join("deep/report.html"));
    let shared = ["eval", "tiny", &data, "--resamples", "200"];
    let output = hearken(&[&shared[..], &["--json", "--html", html.to_str().unwrap()]].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    let (report, page) = (&json["report"], std::fs::read_to_string(&html).unwrap());
    let shown = text(&hearken(&shared).stdout);
    check_page(&page);
    assert!(page.matches("<svg").count() >= 9, "{}", page.matches("<svg").count());

    let intervals: BTreeMap<String, Value> = serde_json::from_value(report["intervals"].clone()).unwrap();
    assert!(intervals.len() > 25, "{intervals:?}");
    for (path, interval) in &intervals {
        let (part, name) = path.split_once('.').unwrap();
        let value = report[part][name].as_f64().unwrap_or_else(|| panic!("{path} has an interval and no value"));
        let (low, high) = (interval["low"].as_f64().unwrap(), interval["high"].as_f64().unwrap());
        assert!(low <= high, "{path}: {interval}");
        for (rendering, text) in [("terminal", &shown), ("page", &page)] {
            for number in [value, low, high] {
                assert!(text.contains(&format!("{number:.4}")), "{path}: {number:.4} is not in the {rendering}");
            }
        }
    }
    let confused = report["confused"].as_array().unwrap();
    let mistake = confused.iter().find(|confused| confused["known"] == "no_such_intent").unwrap();
    let place = mistake["examples"][0]["place"].as_str().unwrap();
    assert!(place.contains("test.jsonl:") && shown.contains(place) && page.contains(place), "{place}");
    assert!(page.contains("&lt;b&gt;where&lt;/b&gt; is my &quot;order&quot; &amp; why") && !page.contains("<b>where"));
    let bins = report["intent"]["reliability"].as_array().unwrap();
    assert_eq!(bins.len(), 15);
    assert!(
        !report["curves"]["coverage"].as_array().unwrap().is_empty()
            && !report["curves"]["out_of_scope_roc"].as_array().unwrap().is_empty()
    );
    // The same seed gives the same intervals.
    assert_eq!(text(&hearken(&shared).stdout), shown);
}

#[test]
fn gates_know_every_figure_and_single_labels() {
    let folder = tempfile::tempdir().unwrap();
    let data = data(folder.path());
    let gated = |gate: &str| hearken(&["eval", "tiny", &data, "--resamples", "0", "--gate", gate]);
    let json: Value = serde_json::from_slice(&hearken(&["eval", "tiny", &data, "--resamples", "0", "--json"]).stdout).unwrap();
    assert!(json["report"]["intervals"].is_null());
    let label = json["report"]["intent"]["labels"].as_object().unwrap().keys().next().unwrap().clone();
    for figure in
        ["intent.accuracy", "entities.overlap_f1", "sentiment.spearman", "intent.out_of_scope_recall_at_5_percent", "emotions.weighted_f1"]
            .map(str::to_owned)
            .into_iter()
            .chain([format!("intent.labels.{label}.recall")])
    {
        assert_eq!(gated(&format!("{figure}>=-1")).status.code(), Some(0), "{figure}");
        let output = gated(&format!("{figure}>=1.01"));
        assert!(output.status.code() == Some(3) && text(&output.stderr).contains(&format!("gate missed: {figure} is")), "{figure}");
    }
    let output = gated("intent.acuracy>=0.5");
    assert!(output.status.code() == Some(1) && text(&output.stderr).contains("intent.accuracy"), "{}", text(&output.stderr));
    assert_eq!(gated("intent.accuracy").status.code(), Some(2));
}

#[test]
fn a_model_compared_with_itself_differs_in_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let data = data(folder.path());
    let output = hearken(&["compare", "tiny", "models/tiny", &data, "--resamples", "50", "--json", "--gate", "intent.accuracy>=0"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    for figure in json["comparison"]["figures"].as_array().unwrap() {
        assert_eq!(
            (&figure["difference"], &figure["interval"]["low"], &figure["interval"]["high"]),
            (&0.0.into(), &0.0.into(), &0.0.into())
        );
    }
    for changes in json["comparison"]["changes"].as_array().unwrap() {
        assert_eq!((changes["p_value"].as_f64(), changes["fixed"].as_array().unwrap().len()), (Some(1.0), 0));
    }
}

#[test]
fn two_models_are_compared_row_by_row() {
    let folder = tempfile::tempdir().unwrap();
    let (data, html) = (data(folder.path()), folder.path().join("compare.html"));
    let arguments = ["compare", "tiny", "storefront-en", &data, "--resamples", "100"];
    let output = hearken(&[&arguments[..], &["--json", "--html", html.to_str().unwrap()]].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    let comparison = &json["comparison"];
    let accuracy = comparison["figures"].as_array().unwrap().iter().find(|figure| figure["figure"] == "intent.accuracy").unwrap();
    let number = |key: &str| accuracy[key].as_f64().unwrap();
    assert!((number("b") - number("a") - number("difference")).abs() < 1e-12);
    let intents = comparison["changes"].as_array().unwrap().iter().find(|changes| changes["part"] == "intent").unwrap();
    let (fixed, broken) = (intents["fixed"].as_array().unwrap(), intents["broken"].as_array().unwrap());
    #[expect(clippy::cast_precision_loss, reason = "some dozen rows")]
    let wanted = (fixed.len() as f64 - broken.len() as f64) / intents["examples"].as_f64().unwrap();
    assert!((number("difference") - wanted).abs() < 1e-12, "what is fixed less what is broken is what accuracy gains");
    assert_eq!(intents["p_value"].as_f64().unwrap(), mcnemar(fixed.len(), broken.len()));
    for row in fixed {
        assert!(row["known"] == row["b"] && row["known"] != row["a"], "{row}");
    }
    for row in broken {
        assert!(row["known"] == row["a"] && row["known"] != row["b"], "{row}");
    }
    check_page(&std::fs::read_to_string(&html).unwrap());
    let output = hearken(&[&arguments[..], &["--gate", "intent.accuracy>=2"]].concat());
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.code() == Some(3) && err.contains("gate missed: the difference of intent.accuracy is"), "{err}");
    assert!(out.contains("McNemar") && out.contains("95 % interval") && (fixed.is_empty() || out.contains("fixed")), "{out}");
    let output = hearken(&[&arguments[..], &["--gate", "intent.nothing>=2"]].concat());
    assert!(output.status.code() == Some(1) && text(&output.stderr).contains("intent.nothing"));
}

#[test]
fn data_is_counted_for_people_and_programs() {
    let folder = tempfile::tempdir().unwrap();
    let (data, html) = (data(folder.path()), folder.path().join("stats.html"));
    let output = hearken(&["data", "stats", &data, "--json", "--html", html.to_str().unwrap()]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    let (train, test) = (&json["splits"]["train"], &json["splits"]["test"]);
    assert!(json["splits"]["valid"].is_null());
    assert_eq!(
        (&train["rows"], &train["intents"]["no_such_intent"], &train["entities"]["thing"]["count"]),
        (&test["rows"], &1.into(), &1.into())
    );
    let rows = std::fs::read_to_string(folder.path().join("train.jsonl")).unwrap();
    let escalated = rows.matches("\"escalate\": true").count();
    assert_eq!((&test["vocabulary"]["distinct_unseen"], &train["escalate"]), (&0.into(), &escalated.into()));
    let page = std::fs::read_to_string(&html).unwrap();
    check_page(&page);
    let shown = text(&hearken(&["data", "stats", &data]).stdout);
    for part in ["no_such_intent", "thing", "out_of_scope", "joy", "vocabulary"] {
        assert!(shown.contains(part), "{part} is not in\n{shown}");
    }
    let output = hearken(&["data", "stats", &data, "--html", &data]);
    assert!(output.status.code() == Some(1) && text(&output.stderr).contains("cannot be written"), "{}", text(&output.stderr));
    let output = hearken(&["data", "stats", "nowhere"]);
    assert!(output.status.code() == Some(1) && text(&output.stderr).contains("train.jsonl"), "{}", text(&output.stderr));
}

#[test]
fn worse_typing_and_lost_context_are_measured() {
    let folder = tempfile::tempdir().unwrap();
    let context = r#""context": [{"role": "bot", "text": "Which one shall we send back?"}]"#;
    let rows = [
        r#"{"text": "Where is my order KX-20418?", "intent": "track_order", "entities": [{"start": 18, "end": 26, "label": "order_number"}], "sentiment": "neutral"}"#.to_owned(),
        format!(r#"{{"text": "the blue one", "intent": "return_item", {context}, "needs_context": true}}"#),
        format!(r#"{{"text": "I want to return the shoes", "intent": "return_item", {context}, "needs_context": false}}"#),
    ];
    std::fs::write(folder.path().join("test.jsonl"), rows.join("\n")).unwrap();
    std::fs::write(folder.path().join("train.jsonl"), &rows[0]).unwrap();
    let path = folder.path().to_str().unwrap();
    let output = hearken(&["robustness", "storefront-en", path, "--json"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    let robustness = &json["robustness"];
    assert_eq!(robustness["distorted"].as_array().unwrap().len(), hearken::data::DISTORTIONS.len());
    let names: Vec<&str> = robustness["without_context"].as_array().unwrap().iter().map(|part| part["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["without-context", "without-context-not-needed"]);
    let output = hearken(&["robustness", "storefront-en", path, "--gate", "mean_drop.intent.accuracy<=-2"]);
    assert_eq!(output.status.code(), Some(3), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("mean over the kinds") && text(&output.stderr).contains("gate missed"));
    let output = hearken(&["robustness", "storefront-en", path, "--gate", "nothing<=1"]);
    assert!(output.status.code() == Some(1) && text(&output.stderr).contains("mean_drop.intent.accuracy"));
}
