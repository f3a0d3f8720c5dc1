//! `hearken data redact`: data without the words that say who somebody is.

use crate::data::{DataDirectory, Key, OutputDirectory, Redactor, Replacement, Split, records_of};
use clap::Args;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

/// Replace e-mail addresses, telephone, card and account numbers, and names
#[derive(Debug, Args)]
#[command(after_help = "\
`mail me at ines.p@example.org` becomes `mail me at [EMAIL]`; likewise [PHONE], [CARD], [IBAN] and [NAME]. Entities keep their words and get
new offsets, one that was replaced covers the placeholder. Turns in `context` and strings in other fields are redacted, too.

Card and account numbers need right check digits, national telephone numbers a word such as `call` before them, or --region. Names are found
where an entity is labelled person, after cues such as `my name is`, `Mr` or a greeting, and wherever else in the same conversation they
stand with a capital: a name without any cue stays. Look through a sample before data leaves your hands.

Examples:
  hearken data redact exported --out my-shop
  hearken data redact exported --out my-shop --region GB --also location,order_number
  hearken data redact exported --out my-shop --pseudonyms --seed 'words that nobody else knows'

With --pseudonyms the words become others of the same form, the same for the same. Without --seed they are so within this run; with it in
every run, and whoever has the seed can try out originals: keep it secret.")]
pub struct RedactArgs {
    /// Data directory
    #[arg(value_name = "DIR")]
    data: PathBuf,
    /// Where the files are written
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Other words of the same form instead of placeholders
    #[arg(long)]
    pseudonyms: bool,
    /// Words that the pseudonyms depend on
    #[arg(long, value_name = "WORDS", requires = "pseudonyms")]
    seed: Option<String>,
    /// ISO 3166 country, such as GB, whose national telephone numbers are found
    #[arg(long, value_name = "COUNTRY")]
    region: Option<String>,
    /// More labels whose entities are replaced
    #[arg(long, value_delimiter = ',', value_name = "LABEL")]
    also: Vec<String>,
    /// Write into --out although it is not empty
    #[arg(long)]
    force: bool,
}

impl RedactArgs {
    /// Runs the command.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let directory = DataDirectory::new(&self.data);
        let replacement = if self.pseudonyms { Replacement::Pseudonym(Key::new(self.seed.as_deref())) } else { Replacement::Placeholder };
        let mut redactor = Redactor::new(replacement, self.region, &self.also);
        let mut files = Vec::new();
        for split in Split::ALL.into_iter().filter(|split| *split == Split::Train || directory.has(*split)) {
            let records = records_of(&directory.file(split))?;
            for record in &records {
                redactor.learn_names(record);
            }
            files.push((split, records));
        }
        let out = OutputDirectory::create(&self.out, &self.data, self.force)?;
        let (mut rows, mut changed) = (0usize, 0usize);
        for (split, records) in &files {
            let lines = records.iter().map(|record| redactor.redact(record)).collect::<Result<Vec<_>, _>>()?;
            rows += lines.len();
            changed += records.iter().zip(&lines).filter(|(record, line)| record.line != **line).count();
            out.write_lines(&format!("{split}.jsonl"), lines)?;
        }
        for split in Split::ALL.into_iter().filter(|split| files.iter().all(|(read, _)| read != split)) {
            out.remove(&format!("{split}.jsonl"))?;
        }
        let mut stdout = std::io::stdout().lock();
        for (kind, count) in redactor.counts() {
            writeln!(stdout, "{kind:<12} {count:>7}")?;
        }
        if redactor.dropped() > 0 {
            writeln!(stdout, "{} entities lay in the same replaced words as another and are gone", redactor.dropped())?;
        }
        writeln!(stdout, "changed {changed} of {rows} rows; wrote {}", self.out.display())?;
        Ok(ExitCode::SUCCESS)
    }
}
