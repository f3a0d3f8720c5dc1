//! Reading a run of digits as a telephone number of some country.

use crate::patterns::{ValueContext, surface};
use phonenumber::metadata::DATABASE;
use phonenumber::{PhoneNumber, country};

/// ITU-T E.164: the most digits of a number, country code included.
pub const MOST_DIGITS: usize = 15;

/// The context's country, when there are telephone numbers in it.
pub fn region(context: &ValueContext) -> Option<country::Id> {
    let region = context.region.as_deref()?.to_ascii_uppercase();
    DATABASE.by_id(region.as_str())?;
    region.parse().ok()
}

/// Reads only digits and a plus, so that no other syntax of the parser is reached.
pub fn read(surface: &str, region: Option<country::Id>) -> Option<PhoneNumber> {
    let surface = surface::plain(surface).replace("(0)", "");
    let surface = surface.trim_start_matches("tel:");
    let number: String = surface.chars().filter(char::is_ascii_digit).collect();
    if !surface.chars().all(|c| c.is_ascii_digit() || " +-.()/".contains(c)) {
        return None;
    }
    let plus = surface.starts_with('+') || surface.starts_with("(+");
    let abroad = if plus { Some(number.as_str()) } else { number.strip_prefix("00") };
    if abroad.unwrap_or(&number).len() > MOST_DIGITS || number.len() < 5 {
        return None;
    }
    let parsed = match abroad {
        Some(digits) => phonenumber::parse(None, format!("+{digits}")).ok()?,
        None => phonenumber::parse(Some(region?), &number).ok()?,
    };
    let likely = number.starts_with('0') && has_length_of_its_country(&parsed);
    (plus || likely || parsed.is_valid()).then_some(parsed)
}

/// Whether some kind of number in its country is that long, whoever has it.
pub fn has_length_of_its_country(number: &PhoneNumber) -> bool {
    let length = u16::try_from(number.national().to_string().len()).unwrap_or(u16::MAX);
    let countries = DATABASE.by_code(&number.code().value()).unwrap_or_default();
    countries.iter().map(|metadata| metadata.descriptors()).any(|kinds| {
        let kinds = [kinds.fixed_line(), kinds.mobile(), kinds.toll_free(), kinds.shared_cost(), kinds.voip(), kinds.uan()];
        kinds.into_iter().flatten().any(|kind| kind.possible_length().contains(&length))
    })
}

/// Whether the country numbers its telephones by the North American plan.
pub fn is_north_american(region: country::Id) -> bool {
    DATABASE.by_id(region.as_ref()).is_some_and(|metadata| metadata.country_code() == 1)
}

/// ITU-T E.164: a plus, the country code and the national number.
pub fn e164(number: &PhoneNumber) -> String {
    format!("+{}{}", number.code().value(), number.national())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::patterns::testing::context_in;

    #[test]
    fn no_region_breaks_the_parser() {
        let runs = ["0", "00", "1", "15", "9", "0123456789", "11111111", "4445556667", "901512345678", "18001234567", "99999999999999999"];
        for metadata in DATABASE.iter() {
            let country = region(&context_in(metadata.id()));
            for digits in runs {
                let _ = read(digits, country);
                let _ = read(&format!("+{}{digits}", metadata.country_code()), country);
            }
        }
        assert!(region(&context_in("AQ")).is_none());
    }

    #[test]
    fn national_numbers_read_in_their_country() {
        let read = |run: &str, name: &str| read(run, region(&context_in(name))).map(|number| e164(&number));
        assert_eq!(read("030 901820", "DE").as_deref(), Some("+4930901820"));
        assert_eq!(read("06 12345678", "IT").as_deref(), Some("+390612345678"));
        assert_eq!(read("600 112 907", "ES").as_deref(), Some("+34600112907"));
        assert_eq!(read("12", "DE"), None);
    }
}
