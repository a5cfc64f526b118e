//! The assumptions under which no old duplicate is accepted (ORACLES.md §0).
//!
//! Each is a fact about network, hosts and users. What a stack did wrong breaks none of them: a
//! TIME-WAIT that was too short, or none at all, is a TIME-WAIT.
//!
//! E6 (undetected damage) has its place in [`first_broken`] when there is something that can break it.
//! E12 is ours: a box has put octets of two incarnations into one segment, which no check of a receiver
//! can take apart.

use timewait_sim::{Duration, Instant, NodeId};

use crate::facts::{Delivery, Ending, Facts, Life};
use crate::label::Incarnation;

/// The first assumption that is broken for this datagram, accepted by `f`.
pub(super) fn first_broken(facts: &Facts, p: &Delivery, f: Incarnation) -> Option<&'static str> {
    if is_attack(facts, p) {
        return Some("E7");
    }
    if changed_hands(facts, p.tag, f) {
        return Some("E8");
    }
    if !p.others.is_empty() {
        return Some("E12");
    }
    let msl = facts.circumstances().msl(p.id.origin, f.host)?;
    if p.age() > msl {
        return Some("E1");
    }
    if lost_memory(facts, p, f, msl) {
        return Some("E2");
    }
    if p.is_echo() {
        return Some("E9");
    }
    if is_outwaited(facts, p, f, msl) {
        return None;
    }
    if facts.life(f).is_some_and(Life::is_by_cookie) {
        return Some("E10");
    }
    let Some((x, pair)) = both(facts, p.tag) else {
        return Some("E3");
    };
    if !ended_by_fin(facts, x, pair, f) {
        Some("E3")
    } else if is_orphan(p, x, pair, msl) {
        Some("E4")
    } else if answers_in_time_wait(p, x) {
        Some("E9")
    } else if wrapped(facts, p, f) {
        Some("E5")
    } else if same_tick(facts, x, pair, f) || same_stamp(facts, p, x, f) {
        Some("E11")
    } else {
        outran_the_clock(facts, x, pair, f).then_some("ISN outrun")
    }
}

/// E7: an attacker sent it, or what it answers, or the SYN from which its sender comes.
fn is_attack(facts: &Facts, p: &Delivery) -> bool {
    let parent = facts.parent_of(p.tag);
    p.forged || parent.is_some_and(|parent| facts.is_attacker(parent.host))
}

/// E8: a NAT has given the port that one of the two ends shows outside to another end inside.
fn changed_hands(facts: &Facts, x: Incarnation, f: Incarnation) -> bool {
    let end = |of: Incarnation| facts.life(of).map(|life| (of.host, life.local));
    let differ = |a: Option<Incarnation>, b: Incarnation| {
        let ends = a.and_then(end).zip(end(b));
        ends.is_some_and(|(a, b)| a != b)
    };
    facts.circumstances().translates
        && (differ(facts.parent_of(x), f) || differ(facts.parent_of(f), x))
}

/// E2: a host of the tuple lost its memory less than MSL before, and was not told to keep a quiet
/// time of an MSL.
fn lost_memory(facts: &Facts, p: &Delivery, f: Incarnation, msl: Duration) -> bool {
    let recently = |host| facts.rebooted_at(host).is_some_and(|at| p.at <= at + msl);
    [p.id.origin, f.host]
        .into_iter()
        .any(|host| recently(host) && !keeps_quiet(facts, host, msl))
}

/// It was told to, whatever it does.
fn keeps_quiet(facts: &Facts, host: NodeId, msl: Duration) -> bool {
    facts
        .rebooted_at(host)
        .zip(facts.quiet_until(host))
        .is_some_and(|(at, until)| until >= at + msl)
}

/// A quiet time stands in for the TIME-WAIT that did not survive (RFC 9293 §3.4.3): `p` comes from
/// an earlier boot of the host that `f` now has its peer on, and who opens only an MSL after the
/// boot meets nothing from before. Or `p` was sent before the host of `f` booted, which takes
/// nothing for so long.
fn is_outwaited(facts: &Facts, p: &Delivery, f: Incarnation, msl: Duration) -> bool {
    let crashed = |life: &Life| life.end.is_some_and(|end| end.ending == Ending::Crashed);
    let later = |peer: Incarnation| peer.host == p.tag.host && peer.boot > p.tag.boot;
    let from_an_earlier_boot = facts.life(p.tag).is_some_and(crashed)
        && facts.parent_of(f).is_some_and(later)
        && keeps_quiet(facts, p.tag.host, msl);
    let before_this_boot = facts.rebooted_at(f.host).is_some_and(|at| p.born < at);
    from_an_earlier_boot || before_this_boot && keeps_quiet(facts, f.host, msl)
}

fn both(facts: &Facts, x: Incarnation) -> Option<(&Life, &Life)> {
    Some((facts.life(x)?, facts.life(facts.pair_of(x)?)?))
}

/// E3: both took the FIN of the other, so that one of them came to TIME-WAIT, and neither was
/// aborted by its user or pushed out of a full table. If a later incarnation took the place of
/// that TIME-WAIT, then the same holds for that one, and so on up to `f`.
fn ended_by_fin(facts: &Facts, x: &Life, pair: &Life, f: Incarnation) -> bool {
    let (mut x, mut pair) = (x, pair);
    loop {
        let waited = [x, pair]
            .into_iter()
            .any(|life| life.time_wait_at.is_some());
        if !waited || !closed(x) || !closed(pair) {
            return false;
        }
        let Some(next) = replaced_by(x).or(replaced_by(pair)) else {
            return true;
        };
        let Some((new, its_pair)) = both(facts, next) else {
            return next == f;
        };
        if new.name == f || its_pair.name == f {
            return true;
        }
        (x, pair) = (new, its_pair);
    }
}

fn closed(life: &Life) -> bool {
    let ending = life.end.map(|end| end.ending);
    let spoilt = matches!(ending, Some(Ending::PushedOut | Ending::Crashed));
    life.fin_taken_at.is_some() && life.user.aborted_at.is_none() && !spoilt
}

fn replaced_by(life: &Life) -> Option<Incarnation> {
    life.reopened_by
        .filter(|_| life.end.is_some_and(|end| end.ending == Ending::Replaced))
}

/// E4: the one that did not come to TIME-WAIT was still there, and could send, more than MSL
/// after its peer had last taken its FIN.
fn is_orphan(p: &Delivery, x: &Life, pair: &Life, msl: Duration) -> bool {
    let late = |passive: &Life, active: &Life| {
        let Some(taken_at) = active
            .fin_taken_at
            .filter(|_| passive.time_wait_at.is_none())
        else {
            return false;
        };
        passive.ended_at().unwrap_or(p.at) > taken_at + msl
    };
    late(x, pair) || late(pair, x)
}

/// E9, the rest of it: an ACK born in TIME-WAIT in answer to something old, which did not restart
/// 2MSL, may outlive it like the RST that could answer it in turn.
fn answers_in_time_wait(p: &Delivery, x: &Life) -> bool {
    x.time_wait_at.is_some() && x.fin_taken_at.is_some_and(|taken_at| p.born > taken_at)
}

/// E11: the ISN clock did not tick between two incarnations of one end.
fn same_tick(facts: &Facts, x: &Life, pair: &Life, f: Incarnation) -> bool {
    let Some(f) = facts.life(f) else { return false };
    let peer = f
        .parent
        .and_then(|peer| facts.life(peer))
        .filter(|peer| peer.name != x.name);
    let tick = |life| tick(facts, life);
    tick(f) == tick(pair) || peer.is_some_and(|peer| tick(peer) == tick(x))
}

/// E11 for timestamps: the sender's 1 ms clock did not tick between the old datagram and the SYN
/// that set TS.Recent. PAWS refuses only what is older (RFC 7323 §5.3), and the ISN need not protect
/// where the SYN was taken for its timestamp (RFC 6191 §2). A SYN of `x` itself is no such case:
/// what follows from its copy is the matter of the other end's ISN.
fn same_stamp(facts: &Facts, p: &Delivery, x: &Life, f: Incarnation) -> bool {
    let Some(f) = facts.life(f).filter(|f| f.shadow.timestamps()) else {
        return false;
    };
    let peer = f.parent.and_then(|peer| facts.life(peer));
    let clock = facts.circumstances().clock(p.id.origin);
    let millis = |at: Instant| clock.shows(at).as_nanos() / STAMP_TICK_NS;
    peer.is_some_and(|peer| {
        peer.name != x.name
            && peer.name.host == p.id.origin
            && millis(p.born) == millis(peer.opened_at)
    })
}

/// E5: so many octets went in one direction of the tuple since the datagram was sent that sequence
/// numbers came round to it, a window more or less. With timestamps PAWS would tell (RFC 7323 §5).
fn wrapped(facts: &Facts, p: &Delivery, f: Incarnation) -> bool {
    let Some(receiver) = facts.life(f).filter(|f| !f.shadow.timestamps()) else {
        return false;
    };
    let same_tuple = |life: &&Life| {
        life.name.host == p.id.origin
            && life.remote == Some(receiver.local)
            && Some(life.local) == receiver.remote
            && life.ended_at().is_none_or(|at| at >= p.born)
    };
    let sent: u64 = facts
        .lives()
        .filter(same_tuple)
        .map(|life| life.user.octets_sent)
        .sum();
    sent + u64::from(receiver.shadow.max_snd_wnd) >= 1 << 32
}

/// An old SYN of `x` itself has made `f`, and the TIME-WAIT at the side of `x` can't keep the rest
/// of the old connection from following it. Then the ISN alone protects; it is only promised to
/// lie beyond what the old connection sent if that sent no more than an octet in a tick.
fn outran_the_clock(facts: &Facts, x: &Life, pair: &Life, f: Incarnation) -> bool {
    let Some(f) = facts.life(f).filter(|f| f.parent == Some(x.name)) else {
        return false;
    };
    let sent = pair
        .vars
        .as_ref()
        .map_or(0, |vars| u64::from(vars.snd_nxt - vars.iss));
    f.reopened_from.is_none() && tick(facts, f).saturating_sub(tick(facts, pair)) <= sent
}

/// What the ISN clock of its host showed when it began.
fn tick(facts: &Facts, life: &Life) -> u64 {
    let clock = facts.circumstances().clock(life.name.host);
    clock.shows(life.opened_at).as_nanos() / ISN_TICK_NS
}

/// RFC 9293 §3.4.1, MUST-8: the clock of initial sequence numbers ticks every 4 us.
const ISN_TICK_NS: u64 = 4_000;
/// One tick of TSval.
const STAMP_TICK_NS: u64 = 1_000_000;
