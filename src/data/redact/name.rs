//! Names of people, where the words around them leave little doubt: `my name is`, `Mr`, a greeting, a signature. A name without such
//! a cue is found through the entities, or where the same conversation has it with a cue.

use super::{Key, Kind};
use crate::patterns::{Form, ValueContext};
use crate::text::Span;

/// `Ines Palme`; a pseudonym has a name for a name, each in the same case.
pub struct Name;

/// One to three names, initials and particles included.
macro_rules! name {
    () => {
        r"(?P<v>(?:\p{Lu}\.|\p{Lu}[\p{L}\p{M}]*(?:['’-]\p{L}[\p{L}\p{M}]*)*)(?:[ \u{a0}](?:(?:van|von|de|der|den|di|da|du|la|le|bin|al)[ \u{a0}])*(?:\p{Lu}\.|\p{Lu}[\p{L}\p{M}]*(?:['’-]\p{L}[\p{L}\p{M}]*)*)){0,2})"
    };
}

static INTRODUCED: Form = Form::new(concat!(
    r"(?i:(?:my|the|his|her) (?:first |last |full |sur|maiden )?name(?: is|['’]?s| was| :|:)|\bname:|i['’]?m called|i am called|they call me|mein name ist|ich hei(?:ß|ss)e|",
    r"je m['’]appelle|mon nom est|me llamo|mi nombre es|mi chiamo|mijn naam is|ik heet|jag heter|jeg hedder|meu nome é) ",
    name!()
));
static LOWER_CASE: Form = Form::new(
    r"(?i:my (?:first |last |full |sur)?name(?: is|['’]?s)) (?P<v>\p{Ll}[\p{Ll}\p{M}'’-]+(?: \p{Ll}[\p{Ll}\p{M}'’-]+)?) ?(?:[,.!;:]|$|\n)",
);
static SPEAKING: Form =
    Form::new(concat!(r"(?i:this is|it is|it['’]s|hier ist|ici) ", name!(), r" (?i:speaking|here|again|writing|calling|from)"));
static TITLED: Form =
    Form::new(concat!(r"(?:Mr|Mrs|Ms|Mx|Dr|Prof|MR|MRS|Herrn?|Frau|Mme|Mlle|Monsieur|Señora?|Sra?|Dhr|Mevr|Signora?)\.? ", name!()));
static GREETED: Form = Form::new(concat!(
    r"(?m)^\s*(?i:hi|hello|hey|dear|hallo|liebe[rs]?|bonjour|bonsoir|hola|ciao|good (?:morning|afternoon|evening)|thanks|thank you|danke),? ",
    name!(),
    r" ?(?:[,.!;:\n]|$)"
));
static SIGNED: Form = Form::new(concat!(
    r"(?i:regards|cheers|thanks|thank you|thx|best|wishes|sincerely|yours|greetings|grüße|grüßen|gruß|mfg|cordialement|saludos|groeten)[,.!]?\s*[\n,]\s*",
    name!(),
    r"\s*$"
));
static SPOKEN_TO: Form = Form::new(concat!(r"(?i:spoke|speaking|spoken|talked|chatted|talking|chatting) (?i:to|with) ", name!()));

const FORMS: &[&Form] = &[&INTRODUCED, &LOWER_CASE, &SPEAKING, &TITLED, &GREETED, &SIGNED, &SPOKEN_TO];

const TITLES: &[&str] = &["Mr", "Mrs", "Ms", "Miss", "Mx", "Dr", "Prof", "Herr", "Frau", "Mme", "Monsieur", "Madame"];

/// Words that stand where a name could, and are none.
const NO_NAMES: &[&str] = &[
    "i",
    "a",
    "an",
    "the",
    "there",
    "team",
    "all",
    "everyone",
    "everybody",
    "support",
    "sir",
    "sirs",
    "madam",
    "customer",
    "customers",
    "service",
    "services",
    "care",
    "folks",
    "guys",
    "shop",
    "store",
    "again",
    "and",
    "bye",
    "so",
    "very",
    "not",
    "no",
    "yes",
    "ok",
    "okay",
    "please",
    "help",
    "on",
    "in",
    "is",
    "was",
    "wrong",
    "spelled",
    "spelt",
    "misspelled",
    "misspelt",
    "incorrect",
    "missing",
    "written",
    "printed",
    "still",
    "now",
    "different",
    "changed",
    "associated",
    "already",
    "listed",
    "registered",
    "under",
    "correct",
    "right",
    "great",
    "good",
    "nice",
    "this",
    "that",
    "my",
    "your",
    "our",
    "their",
    "it",
    "what",
    "where",
    "when",
    "why",
    "who",
    "how",
    "can",
    "could",
    "will",
    "would",
    "is",
    "are",
    "do",
    "does",
    "did",
    "has",
    "have",
    "any",
    "to",
    "for",
    "with",
    "from",
    "about",
    "bot",
    "chatbot",
    "agent",
    "manager",
    "supervisor",
    "human",
    "person",
    "someone",
    "somebody",
    "anyone",
    "sales",
    "returns",
    "billing",
    "help",
    "desk",
    "martens",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
    "morning",
    "afternoon",
    "evening",
    "day",
    "night",
    "kunde",
    "kundin",
    "damen",
    "herren",
    "kundenservice",
    "zusammen",
    "welcome",
    "sorry",
    "order",
    "hello",
    "hi",
    "hey",
    "thanks",
    "thank",
    "you",
    "me",
    "us",
    "them",
    "him",
    "her",
];

impl Kind for Name {
    fn name(&self) -> &'static str {
        "NAME"
    }

    fn labels(&self) -> &'static [&'static str] {
        &["person"]
    }

    fn find(&self, text: &str, _context: &ValueContext) -> Vec<Span> {
        FORMS.iter().flat_map(|form| form.spans(text)).filter_map(|span| credible(text, span)).collect()
    }

    fn pseudonym(&self, surface: &str, key: &Key) -> String {
        let mut out = String::with_capacity(surface.len());
        let mut word = String::new();
        for c in surface.chars().chain([' ']) {
            if c.is_alphabetic() {
                word.push(c);
                continue;
            }
            out.push_str(&other_name(&word, key));
            word.clear();
            out.push(c);
        }
        out.pop();
        out
    }
}

/// The words of a name that can tell who it is, in lower case.
pub fn telling_words(name: &str) -> impl Iterator<Item = String> + '_ {
    let words = name.split(|c: char| !c.is_alphanumeric()).map(str::to_lowercase);
    words.filter(|word| word.chars().count() > 2 && !NO_NAMES.contains(&word.as_str()) && !PARTICLES.contains(&word.as_str()))
}

/// Words of a text, written as names are, that are among the known ones.
pub fn known_names(text: &str, known: &dyn Fn(&str) -> bool) -> Vec<Span> {
    let mut found = Vec::new();
    let mut start = None;
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        match (start, c.is_alphanumeric()) {
            (None, true) => start = Some(at),
            (Some(from), false) => {
                let span = Span { start: from, end: at };
                let word = span.slice(text);
                if word.starts_with(char::is_uppercase) && known(&word.to_lowercase()) {
                    found.push(span);
                }
                start = None;
            }
            _ => {}
        }
    }
    found
}

/// The part of a find behind titles and before the first word that is no name.
fn credible(text: &str, mut span: Span) -> Option<Span> {
    while let Some((title, rest)) = span.slice(text).split_once([' ', '\u{a0}'])
        && TITLES.contains(&title.trim_end_matches('.'))
    {
        span.start = span.end - rest.len();
    }
    let inside = span.slice(text);
    let (mut end, mut next) = (0, 0);
    for word in inside.split_inclusive([' ', '\u{a0}']) {
        let bare = word.trim_end_matches([' ', '\u{a0}']);
        if NO_NAMES.contains(&bare.to_lowercase().as_str()) || TITLES.contains(&bare) {
            break;
        }
        end = next + bare.len();
        next += word.len();
    }
    let kept = inside.get(..end)?;
    (kept.chars().count() > 1).then_some(Span { end: span.start + end, ..span })
}

/// Another name in the same case; an initial for an initial.
fn other_name(word: &str, key: &Key) -> String {
    if word.is_empty() || PARTICLES.contains(&word) {
        return word.to_owned();
    }
    let mut dice = key.dice("NAME", &word.to_lowercase());
    if word.chars().count() == 1 {
        return word.chars().map(|c| dice.like(c)).collect();
    }
    let others: Vec<&str> = NAMES.iter().copied().filter(|name| !name.eq_ignore_ascii_case(word)).collect();
    let name = dice.one_of(&others);
    if word.chars().all(char::is_uppercase) {
        name.to_uppercase()
    } else if word.chars().all(char::is_lowercase) {
        name.to_lowercase()
    } else {
        name.to_owned()
    }
}

const PARTICLES: &[&str] = &["van", "von", "de", "der", "den", "di", "da", "du", "la", "le", "bin", "al"];

/// Given names and surnames at once, common in several countries.
const NAMES: &[&str] = &[
    "Adler", "Aldous", "Amara", "Anton", "Ayla", "Bastian", "Bela", "Berit", "Bruno", "Carlo", "Celia", "Corin", "Dalia", "Dario", "Edda",
    "Elias", "Emre", "Enya", "Fabian", "Farid", "Fiona", "Freya", "Gideon", "Greta", "Hanno", "Hazel", "Helga", "Ilse", "Imani", "Irena",
    "Ivo", "Jarek", "Joana", "Jonas", "Kaia", "Karim", "Kenji", "Lara", "Leif", "Lena", "Lorenz", "Luca", "Magda", "Malik", "Marit",
    "Mateo", "Mika", "Milan", "Nadia", "Nils", "Nora", "Odin", "Olga", "Orla", "Otis", "Paolo", "Petra", "Quinn", "Rafael", "Ravi", "Romy",
    "Rowan", "Sanna", "Selim", "Sigrid", "Stella", "Sven", "Talia", "Tariq", "Tessa", "Tilda", "Timo", "Ulla", "Vera", "Viggo", "Wanda",
    "Xenia", "Yara", "Yusuf", "Zora",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::rewrite::joined;

    fn found(text: &str) -> Vec<&str> {
        let finds = Name.find(text, &ValueContext { now: None, region: None }).into_iter().map(|span| (span, ())).collect();
        joined(text, finds, |()| true).iter().map(|(span, ())| span.slice(text)).collect()
    }

    #[test]
    fn every_form_compiles() {
        assert!(FORMS.iter().all(|form| form.compiles()));
    }

    #[test]
    fn cues_give_names() {
        for (text, wanted) in [
            ("Hi, my name is Ines Palme and my order is late", vec!["Ines Palme"]),
            ("my name is anna.", vec!["anna"]),
            ("my name's Jean-Luc O'Neil", vec!["Jean-Luc O'Neil"]),
            ("Name: Maria de la Cruz", vec!["Maria de la Cruz"]),
            ("This is Omar from Leeds", vec!["Omar"]),
            ("Hello Mrs. Ana M. Berg, thanks", vec!["Ana M. Berg"]),
            ("Dear Mr. Berg,", vec!["Berg"]),
            ("Thanks, Ms Berg. One moment", vec!["Berg"]),
            ("Dear Tom,\nthank you", vec!["Tom"]),
            ("Kind regards,\nLea Sommer", vec!["Lea Sommer"]),
            ("I spoke to Bettina on Monday", vec!["Bettina"]),
            ("ich hei\u{df}e J\u{fc}rgen", vec!["J\u{fc}rgen"]),
        ] {
            assert_eq!(found(text), wanted, "{text}");
        }
    }

    #[test]
    fn words_that_are_no_names_stay() {
        for text in [
            "Hello there, I need help",
            "Hi Team, where is it",
            "my name is spelled wrong",
            "my name is wrong on the invoice",
            "This is Ridiculous",
            "I spoke to Customer Service",
            "Dr. Martens boots",
            "Thanks, Bye",
            "I am Very Angry",
            "Dear Sir or Madam,",
        ] {
            assert_eq!(found(text), Vec::<&str>::new(), "{text}");
        }
    }

    #[test]
    fn a_pseudonym_goes_word_by_word_and_keeps_case() {
        let key = Key::new(Some("x"));
        let (full, first) = (Name.pseudonym("Ines van Palme", &key), Name.pseudonym("INES", &key));
        assert_eq!(full.split(' ').next().unwrap().to_uppercase(), first);
        assert_eq!(full.split(' ').nth(1), Some("van"));
    }

    #[test]
    fn known_names_are_found_where_they_are_written_as_names() {
        let text = "Ines, will ines ask Ines's mother Will?";
        let spans = known_names(text, &|word| word == "ines");
        assert_eq!(spans.iter().map(|span| span.start).collect::<Vec<_>>(), [0, 20]);
        assert_eq!(telling_words("Dr. Jo van Berg the").collect::<Vec<_>>(), ["berg"]);
    }
}
