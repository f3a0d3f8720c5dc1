//! Importers of transcripts: what becomes a row, what only context, and where a human took over. Their golden files are checked with
//! those of every other importer.

use crate::shop::repository;
use hearken::data::import::{Imported, Lexicon, Problem, Receiver, Settings, Source, find, import, recognise};
use std::fmt::Write as _;

#[derive(Default)]
struct Read {
    rows: Vec<Imported>,
    problems: Vec<String>,
}

impl Receiver for Read {
    fn row(&mut self, imported: Imported) {
        self.rows.push(imported);
    }

    fn problem(&mut self, problem: Problem) {
        self.problems.push(problem.to_string());
    }
}

fn read(source: Source, name: &str) -> Read {
    let mut read = Read::default();
    let _: Lexicon = import(&[(source, find(name).unwrap())], &Settings::default(), &mut read);
    read
}

fn fixture(path: &str) -> Source {
    Source::file(&repository("tests/corpus/import").join(path))
}

/// `conversation/turn: text <context` with the kept facts, a row a line.
fn told(read: &Read) -> Vec<String> {
    let line = |imported: &Imported| {
        let row = &imported.row;
        assert_eq!(row.speaker, Some(hearken::conversation::Role::Customer));
        let mut line = format!("{}/{}: {}", row.conversation.as_deref().unwrap_or("-"), row.turn.unwrap(), row.text);
        for turn in row.context.iter().rev() {
            write!(line, " <{:?} {}", turn.role, turn.text).unwrap();
        }
        for fact in ["handover", "csat"] {
            if let Some(value) = row.rest.get(fact) {
                write!(line, " [{fact} {value}]").unwrap();
            }
        }
        line
    };
    read.rows.iter().map(line).collect()
}

/// File, rows, and what the problems say.
type Case = (&'static str, &'static str, &'static [&'static str], &'static [&'static str]);

const CASES: &[Case] = &[
    (
        "chatwoot",
        "messages.json",
        &[
            "41/0: where is my parcel? [csat 4]",
            "41/2: Still waiting :( <Bot Please give me the order number. <Customer where is my parcel? [handover true] [csat 4]",
            "41/4: thanks \u{2764}\u{fe0f} <Agent Hello, Ina here. I look it up. <Customer Still waiting :( <Bot Please give me the order number. <Customer where is my parcel? [csat 4]",
        ],
        &["messages.json:13: `message_type` 9"],
    ),
    (
        "chatwoot",
        "conversations.jsonl",
        &["7/0: do you ship to Malta?", "7/2: great <Bot We do. <Customer do you ship to Malta?", "8/0: is anybody there"],
        &["conversations.jsonl:2: `content`: invalid type", "conversations.jsonl:3: this is no message"],
    ),
    (
        "intercom",
        "conversation.json",
        &[
            "123456/0: My kettle is broken & leaks. [csat 5]",
            "123456/2: Yes.\nI want a person <Bot Have you tried to descale it? <Customer My kettle is broken & leaks. [handover true] [csat 5]",
            "123456/4: Thank you Jo <Agent Hi, Jo here. <Customer Yes.\nI want a person <Bot Have you tried to descale it? <Customer My kettle is broken & leaks. [csat 5]",
        ],
        &["conversation.json:20: `author.type` is `martian`"],
    ),
    (
        "intercom",
        "list.json",
        &["1/0: Do you sell gift cards?", "3/1: thanks <Agent Welcome back"],
        &["list.json:3: this is no conversation of Intercom"],
    ),
    (
        "zendesk-chat",
        "chats.json",
        &[
            "2505.1.A/0: hi, can i change my address [handover true] [csat \"good\"]",
            "2505.1.A/3: 12 Hill Road <Agent Sure, to which one? <Bot Somebody will be with you soon. <Customer hi, can i change my address [csat \"good\"]",
            "2505.1.B/0: Please call me back about the sofa",
        ],
        &["chats.json:11: `sender_type` is `Ghost`", "chats.json:18: this is no chat"],
    ),
    (
        "zendesk-tickets",
        "tickets.jsonl",
        &[
            "35/0: The lamp came without a bulb. [csat \"good\"]",
            "35/2: great,  thanks <Agent Sorry! We send one today. <Customer The lamp came without a bulb. [csat \"good\"]",
            "36/1: It is the blue one <Agent I open this for you.",
        ],
        &["tickets.jsonl:2: `author_id` is missing", "tickets.jsonl:3: this is no ticket", "tickets.jsonl:4: "],
    ),
    (
        "contact-lens",
        "analysis.json",
        &[
            "contact-77/1: My card [PII] was charged twice. <Bot Say what you need. [handover true]",
            "contact-77/3: I am waiting. <Agent Let me see. <Customer My card [PII] was charged twice. <Bot Say what you need.",
        ],
        &["analysis.json:1: `ParticipantRole` is `PARROT`", "analysis.json:15: `ParticipantId` `x-1`"],
    ),
    (
        "cx-insights",
        "call_0001.json",
        &[
            "call_0001/1: I want to send it back <Bot You can ask me anything. [handover true]",
            "call_0001/4: the box was open <Agent Hello, what is the matter? <Bot Let me connect you. <Customer I want to send it back <Bot You can ask me anything.",
        ],
        &["call_0001.json:9: `role` is `NOBODY`"],
    ),
    (
        "vcon",
        "chat.vcon",
        &[
            "0190f5a1-0000-8000-8000-000000000001/0: is the tent waterproof",
            "0190f5a1-0000-8000-8000-000000000001/2: three metres of water?? <Bot It is, up to 3 m. <Customer is the tent waterproof [handover true]",
            "0190f5a1-0000-8000-8000-000000000001/4: ah ok <Agent Three metres of water column. <Customer three metres of water?? <Bot It is, up to 3 m. <Customer is the tent waterproof",
        ],
        &["chat.vcon:17: `parties` names 9", "chat.vcon:18: `encoding` is `base64url`"],
    ),
    (
        "transcript",
        "chats.csv",
        &[
            "c1/0: where is my order, please? [csat 2]",
            "c1/2: A-10293 and I am fed up <Bot What is its number? <Customer where is my order, please? [handover true] [csat 2]",
            "c1/4: thx <Agent Sorry, I look it up <Customer A-10293 and I am fed up <Bot What is its number? <Customer where is my order, please? [csat 2]",
            "c1/5: bye <Customer thx <Agent Sorry, I look it up <Customer A-10293 and I am fed up <Bot What is its number? <Customer where is my order, please? [csat 2]",
            "c2/0: cancel it",
        ],
        &[
            "chats.csv:7: `sentiment` \"jolly\"",
            "chats.csv:9: `timestamp` \"soon\"",
            "chats.csv:10: `role` is `parrot`",
            "chats.csv:11: the record has 3 fields",
            "chats.csv:12: `conversation_id` is missing",
        ],
    ),
    (
        "transcript",
        "events.jsonl",
        &[
            "5/1: can I return shoes <Bot Hello! [handover true]",
            "5/3: worn ones too? <Agent Within 30 days. <Customer can I return shoes <Bot Hello!",
        ],
        &["events.jsonl:4: `text` is no text", "events.jsonl:5: `sentiment` 3", "events.jsonl:6: "],
    ),
];

#[test]
fn conversations_become_customers_turns() {
    for (name, file, rows, problems) in CASES {
        let source = || fixture(&format!("{name}/{file}"));
        assert_eq!(recognise(&source()).map(hearken::data::import::Importer::name), Ok(*name), "{file} is told without its name");
        let read = read(source(), name);
        assert_eq!(told(&read), *rows, "{name}/{file}: {:#?}", read.problems);
        assert_eq!(read.problems.len(), problems.len(), "{file}: {:#?}", read.problems);
        for (got, wanted) in read.problems.iter().zip(*problems) {
            assert!(got.contains(wanted), "{file}: {got}, wanted {wanted}");
        }
    }
}

#[test]
fn labels_and_further_fields_of_the_general_form_are_kept() {
    let read = read(fixture("transcript/chats.csv"), "transcript");
    let row = serde_json::to_value(&read.rows[1].row).unwrap();
    assert_eq!((&row["intent"], &row["sentiment"], &row["channel"]), (&"provide_info".into(), &"negative".into(), &"web".into()));
    let cancel = serde_json::to_value(&read.rows[4].row).unwrap();
    assert_eq!(
        (&cancel["sentiment"], &cancel["channel"], &cancel["timestamp"]),
        (&(-0.4f32).into(), &"app".into(), &"2025-05-01T10:00:12Z".into())
    );
}

#[test]
fn broken_transcripts_are_problems_and_no_crash() {
    let names = ["chatwoot", "intercom", "zendesk-chat", "zendesk-tickets", "contact-lens", "cx-insights", "vcon", "transcript"];
    for name in names {
        for text in [
            "",
            "{",
            "[]",
            "[1, null]",
            "{}",
            "null",
            "\u{0}",
            "{\"payload\": 5}",
            "{\"dialog\": [{}], \"parties\": 3}",
            "{\"history\": [[]]}",
            "a,b\n1",
            "{\"id\": {}}",
        ] {
            let read = read(Source::bytes("f.json", text.as_bytes()), name);
            assert!(read.rows.is_empty(), "{name} reads {text:?}: {:?}", read.rows);
            assert!(!read.problems.is_empty() || ["[]", "null"].contains(&text), "{name} is content with {text:?}");
        }
    }
    for (name, file, ..) in CASES {
        let whole = std::fs::read(repository("tests/corpus/import").join(name).join(file)).unwrap();
        let all = read(fixture(&format!("{name}/{file}")), name);
        for cut in (1..whole.len()).step_by(17) {
            let cut_off = read(Source::bytes(file, &whole[..cut]), name);
            assert!(cut_off.rows.len() <= all.rows.len(), "{name}/{file} cut at {cut}");
        }
    }
}
