//! What was accepted though it was old, until the user gets it.

use std::collections::BTreeMap;
use timewait_sim::{Finding, FindingKind, Instant, NodeId};
use timewait_stack::SeqNumber;
use timewait_stack::wire::Flags;

use crate::content;
use crate::event::UserEvent;
use crate::facts::{Delivery, Facts, SegmentHeader, connection_of};
use crate::label::Incarnation;

/// Old datagrams that one incarnation accepted and that are remembered; further ones are not.
const KEPT: usize = 16;

/// Old datagrams with text or FIN, by the incarnation that accepted them.
#[derive(Debug, Default)]
pub(super) struct Suspects(BTreeMap<Incarnation, Vec<Suspect>>);

#[derive(Debug)]
struct Suspect {
    sender: Incarnation,
    segment: SegmentHeader,
    words: String,
    kind: FindingKind,
}

impl Suspects {
    /// `f` has accepted this datagram, and this was the verdict.
    pub(super) fn add(&mut self, f: Incarnation, p: &Delivery, kind: FindingKind) {
        let Some(segment) = p.segment().copied() else {
            return;
        };
        let list = self.0.entry(f).or_default();
        if list.len() < KEPT && (segment.text_len > 0 || segment.has(Flags::FIN)) {
            list.push(Suspect {
                sender: p.tag,
                segment,
                words: p.to_string(),
                kind,
            });
        }
    }

    /// A user gets octets or the end of file.
    pub(super) fn user(
        &mut self,
        now: Instant,
        node: NodeId,
        event: &UserEvent,
        facts: &Facts,
        findings: &mut Vec<Finding>,
    ) {
        if self.0.is_empty() {
            return;
        }
        let Some(f) = connection_of(event).map(|connection| facts.name(node, connection)) else {
            return;
        };
        let Some(suspects) = self.0.get_mut(&f) else {
            return;
        };
        let guilty = |suspect: &mut Suspect| match event {
            UserEvent::Received { offset, octets, .. } => suspect.gave(facts, f, *offset, octets),
            UserEvent::EndOfFile { offset, .. } => suspect.ended(facts, f, *offset),
            _ => false,
        };
        for suspect in suspects.extract_if(.., guilty) {
            let what = if let UserEvent::EndOfFile { .. } = event {
                "its end of file"
            } else {
                "octets"
            };
            let message = format!("the user of {f} got {what} from {}", suspect.words);
            findings.push(Finding {
                oracle: super::NAME,
                at: now,
                kind: suspect.kind,
                message,
            });
        }
    }
}

impl Suspect {
    /// Whether some of these octets are the suspect's and not those of the pair of `f`.
    fn gave(&self, facts: &Facts, f: Incarnation, offset: u64, octets: &[u8]) -> bool {
        let (Some(first), Some(own)) = (sequence(facts, f, offset), iss(facts, self.sender)) else {
            return false;
        };
        let wrong = |place: usize, octet: u8| {
            let seq = first + place as u32;
            let theirs = u64::from(seq - (own + 1));
            let from = |sender, at| content::first_difference(sender, at, &[octet]).is_none();
            seq.within(self.segment.text_seq(), self.segment.text_len)
                && from(self.sender, theirs)
                && !facts
                    .pair_of(f)
                    .is_some_and(|pair| from(pair, offset + place as u64))
        };
        octets
            .iter()
            .enumerate()
            .any(|(place, &octet)| wrong(place, octet))
    }

    /// Whether the stream of `f` ends at the suspect's FIN, and its pair sent none there.
    fn ended(&self, facts: &Facts, f: Incarnation, offset: u64) -> bool {
        let Some(fin) = sequence(facts, f, offset) else {
            return false;
        };
        let pair = facts
            .pair_of(f)
            .and_then(|pair| facts.life(pair)?.vars.as_ref());
        let pairs_own = pair.is_some_and(|vars| vars.fin_sent && vars.snd_nxt == fin + 1);
        self.segment.has(Flags::FIN) && self.segment.text_end() == fin && !pairs_own
    }
}

/// The sequence number of the octet at a stream offset of what `f` receives.
fn sequence(facts: &Facts, f: Incarnation, offset: u64) -> Option<SeqNumber> {
    let irs = facts.life(f)?.vars.as_ref()?.irs;
    Some(irs + 1 + offset as u32)
}

fn iss(facts: &Facts, of: Incarnation) -> Option<SeqNumber> {
    Some(facts.life(of)?.vars.as_ref()?.iss)
}
