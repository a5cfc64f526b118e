//! How times, rates, hops, classes and labels are said in a file.

use core::fmt;
use core::str::FromStr;
use core::time::Duration;

use serde::{Deserialize, Serialize};
use timewait_sim::HopId;

use crate::label::{Incarnation, class};
use crate::scenario::text::time;

/// Makes a type one string in a file, by `Display` and `FromStr`.
macro_rules! as_string {
    ($name:ident) => {
        impl TryFrom<String> for $name {
            type Error = String;
            fn try_from(text: String) -> Result<Self, String> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.to_string()
            }
        }
    };
}

/// A time: `1.5s`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Span(#[serde(with = "time")] pub(super) Duration);

impl From<Duration> for Span {
    fn from(time: Duration) -> Self {
        Self(time)
    }
}

impl From<Span> for Duration {
    fn from(span: Span) -> Self {
        span.0
    }
}

/// A share, in parts per million: `2.5%`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub(super) struct Rate(pub(super) u32);

as_string!(Rate);

/// One in a hundred, in parts per million.
const PERCENT: u32 = 10_000;

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, part) = (self.0 / PERCENT, self.0 % PERCENT);
        let digits = format!("{part:04}");
        match digits.trim_end_matches('0') {
            "" => write!(f, "{whole}%"),
            digits => write!(f, "{whole}.{digits}%"),
        }
    }
}

impl FromStr for Rate {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "`{text}` is no share: it takes 0% to 100%, with up to 4 decimals, such as 2.5%"
            )
        };
        let number = text.strip_suffix('%').ok_or_else(wrong)?;
        let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
        let digits = |text: &str| text.bytes().all(|octet| octet.is_ascii_digit());
        if !digits(whole) || !digits(part) || !(1..=4).contains(&part.len()) {
            return Err(wrong());
        }
        let whole: u32 = whole.parse().map_err(|_| wrong())?;
        let part: u32 = format!("{part:0<4}").parse().map_err(|_| wrong())?;
        let ppm = whole
            .checked_mul(PERCENT)
            .and_then(|ppm| ppm.checked_add(part));
        ppm.filter(|ppm| *ppm <= 100 * PERCENT)
            .map(Self)
            .ok_or_else(wrong)
    }
}

/// The seed of dice, a string because TOML's integers end at 2^63: `0x1f`, or decimal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub(super) struct Seed(pub(super) u64);

as_string!(Seed);

impl fmt::Display for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

impl FromStr for Seed {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let number = match text.strip_prefix("0x") {
            Some(digits) if !digits.starts_with('+') => u64::from_str_radix(digits, 16).ok(),
            Some(_) => None,
            None => text.parse().ok(),
        };
        number
            .map(Self)
            .ok_or_else(|| format!("`{text}` is no seed: it takes 0 to 2^64 - 1, such as \"0x1f\""))
    }
}

/// The key of a host's hashes: 64 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub(super) struct Secret(pub(super) [u8; 32]);

as_string!(Secret);

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

impl FromStr for Secret {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let hexadecimal = text.bytes().all(|digit| digit.is_ascii_hexdigit());
        if !hexadecimal || text.len() != 64 {
            return Err("a secret is 64 hexadecimal digits".to_owned());
        }
        let mut secret = [0; 32];
        for (octet, at) in secret.iter_mut().zip((0..64).step_by(2)) {
            *octet = u8::from_str_radix(&text[at..at + 2], 16).expect("two digits");
        }
        Ok(Self(secret))
    }
}

/// A hop by its link: `0:a>b` is the way from end `a` of link 0 to its end `b`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub(super) struct HopName(pub(super) HopId);

as_string!(HopName);

impl fmt::Display for HopName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let way = if self.0.0.is_multiple_of(2) {
            "a>b"
        } else {
            "b>a"
        };
        write!(f, "{}:{way}", self.0.0 / 2)
    }
}

impl FromStr for HopName {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let hop = || {
            let (link, way) = text.split_once(':')?;
            let link: u16 = link.parse().ok()?;
            let back = match way {
                "a>b" => 0,
                "b>a" => 1,
                _ => return None,
            };
            Some(Self(HopId(u32::from(link) * 2 + back)))
        };
        hop().ok_or_else(|| {
            format!("`{text}` is no hop: it takes the number of a link and a way, such as 0:a>b")
        })
    }
}

/// The tag of a datagram: `h0#2`, or `h0'1#2` after the first boot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub(super) struct Tag(pub(super) u64);

as_string!(Tag);

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Incarnation::from_tag(self.0).fmt(f)
    }
}

impl FromStr for Tag {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let name: Incarnation = text.parse()?;
        Ok(Self(name.tag()))
    }
}

/// Bits of class: `["open"]`. An empty list stands for any datagram.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Vec<ClassName>", from = "Vec<ClassName>")]
pub(super) struct Class(pub(super) u16);

impl From<Vec<ClassName>> for Class {
    fn from(names: Vec<ClassName>) -> Self {
        Self(names.iter().fold(0, |bits, name| bits | name.bits()))
    }
}

impl From<Class> for Vec<ClassName> {
    fn from(class: Class) -> Self {
        let has = |name: &ClassName| class.0 & name.bits() == name.bits();
        let echo = |name: &ClassName| *name != ClassName::Echo || !has(&ClassName::Icmp);
        ClassName::ALL
            .into_iter()
            .filter(|name| has(name) && echo(name))
            .collect()
    }
}

/// The classes by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum ClassName {
    Open,
    SynAck,
    Fin,
    Data,
    Rst,
    PureAck,
    Echo,
    Icmp,
}

impl ClassName {
    const ALL: [Self; 8] = [
        Self::Open,
        Self::SynAck,
        Self::Fin,
        Self::Data,
        Self::Rst,
        Self::PureAck,
        Self::Echo,
        Self::Icmp,
    ];

    const fn bits(self) -> u16 {
        match self {
            Self::Open => class::OPEN,
            Self::SynAck => class::SYN_ACK,
            Self::Fin => class::FIN,
            Self::Data => class::DATA,
            Self::Rst => class::RST,
            Self::PureAck => class::PURE_ACK,
            Self::Echo => class::ECHO,
            Self::Icmp => class::ICMP,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Class, ClassName, HopName, Rate, Tag};
    use timewait_sim::HopId;

    #[test]
    fn rates_are_percents_to_a_millionth() {
        for (text, ppm) in [
            ("0%", 0),
            ("2.5%", 25_000),
            ("100%", 1_000_000),
            ("0.0001%", 1),
        ] {
            assert_eq!(text.parse(), Ok(Rate(ppm)));
            assert_eq!(Rate(ppm).to_string(), text);
        }
        for wrong in [
            "",
            "%",
            "1",
            "101%",
            "-1%",
            "1.%",
            "1.00001%",
            "1e1%",
            "+1%",
            "99999999999%",
        ] {
            assert!(wrong.parse::<Rate>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_hop_is_a_link_and_a_way() {
        for number in [0, 1, 7] {
            let name = HopName(HopId(number));
            assert_eq!(name.to_string().parse(), Ok(name));
        }
        assert_eq!(HopName(HopId(7)).to_string(), "3:b>a");
        for wrong in ["", "0", "0:", "0:a<b", "x:a>b", "-1:a>b", "70000:a>b"] {
            assert!(wrong.parse::<HopName>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_tag_is_said_as_ladders_say_it() {
        for text in ["h0#2", "h65535#1099511627775", "h3'255#0"] {
            let tag: Tag = text.parse().expect("a tag");
            assert_eq!(tag.to_string(), text);
        }
        for wrong in [
            "",
            "h0",
            "#2",
            "h0#",
            "h0#-1",
            "h65536#1",
            "h0'256#1",
            "h0#1099511627776",
        ] {
            assert!(wrong.parse::<Tag>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn classes_are_lists_of_names() {
        let names = vec![ClassName::Fin, ClassName::Icmp];
        let class = Class::from(names.clone());
        assert_eq!(Vec::<ClassName>::from(class), names);
        assert_eq!(Vec::<ClassName>::from(Class(0)), []);
    }
}
