//! A scenario with a simpler number: half of it, or what it would be by the book.

use core::time::Duration;

use timewait_sim::Aqm;
use timewait_stack::Config;

use crate::scenario::{
    Attack, Ending, FaultPlan, Read, Role, Round, RoundEnding, Scenario, Talk, Write,
};

/// Where a number can be made simpler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Octets, requests and pauses of this user.
    Halve { host: u16, app: u16 },
    /// This user starts with the run.
    StartAtOnce { host: u16, app: u16 },
    /// This user reads at once.
    ReadEagerly { host: u16, app: u16 },
    /// This user leaves its buffers alone.
    KeepBuffers { host: u16, app: u16 },
    /// This server accepts at once, whatever comes.
    AcceptAtOnce { host: u16, app: u16 },
    /// All gaps of all churns are half as long.
    HalveGaps,
    /// Octets of all rounds of all churns are halved.
    HalveRounds,
    /// All rounds of all churns end in order.
    EndInOrder,
    /// The gap of this round alone is half as long.
    HalveGap(u32),
    /// This round alone has half as many octets from A to B.
    HalveForth(u32),
    /// The same from B to A.
    HalveBack(u32),
    /// This round alone ends in order.
    EndOneInOrder(u32),
    /// A setting of this host by the book.
    ByTheBook { host: u16, setting: usize },
    /// Nothing of this host is cut into parts.
    InOnePiece(u16),
    /// This link is infinitely fast.
    Unrated(u32),
    /// The queue of this link is not managed.
    Unmanaged(u32),
    /// This link carries datagrams of any size.
    Wide(u32),
    /// This link is down half as long.
    CutHalf(u32),
    /// This host is off half as long.
    OffHalf(u32),
    /// After this crash the host remembers everything about its sequence numbers.
    RememberAll(u32),
    /// This boot keeps no quiet time.
    NotQuiet(u32),
    /// The network heals in half the time.
    HealEarlier,
    /// What a router keeps, it keeps half as long at most.
    HoldLess,
    /// The first half of an attack.
    AttackEndsEarlier { attacker: u16, attack: u16 },
    /// The second half of an attack.
    AttackStartsLater { attacker: u16, attack: u16 },
}

/// Settings that may become what [`Config::new`] says.
const SETTINGS: &[fn(&mut Config, Config)] = &[
    |config, book| config.hop_limit = book.hop_limit,
    |config, book| config.diffserv = book.diffserv,
    |config, book| config.mtu = book.mtu,
    |config, book| config.receive_buffer = book.receive_buffer,
    |config, book| config.window_scale = book.window_scale,
    |config, _| config.timestamps = false,
    |config, book| config.send_buffer = book.send_buffer,
    |config, book| config.delayed_ack = book.delayed_ack,
    |config, book| config.nagle = book.nagle,
    |config, book| config.cork = book.cork,
    |config, book| config.quick_ack = book.quick_ack,
    |config, book| config.max_segment = book.max_segment,
    |config, book| config.abort_on_close = book.abort_on_close,
    |config, book| config.user_timeout = book.user_timeout,
    |config, book| config.announce_user_timeout = book.announce_user_timeout,
    |config, book| config.r2 = book.r2,
    |config, book| config.r2_syn_ack = book.r2_syn_ack,
    |config, book| config.syn_queue_max = book.syn_queue_max,
    |config, book| config.syn_cookies = book.syn_cookies,
    |config, book| config.keepalive = book.keepalive,
    |config, book| config.fin_wait_2 = book.fin_wait_2,
    |config, book| config.isn_epoch = book.isn_epoch,
    |config, book| config.sack = book.sack,
    |config, book| config.tail_loss_probe = book.tail_loss_probe,
    |config, book| config.frto = book.frto,
    |config, book| config.congestion_control = book.congestion_control,
    |config, book| config.initial_window = book.initial_window,
    |config, book| config.slow_start_limit = book.slow_start_limit,
    |config, book| config.scoreboard_segments_max = book.scoreboard_segments_max,
];

impl Scenario {
    pub(super) fn number_places(&self) -> Vec<Place> {
        let mut places = vec![Place::HalveRounds, Place::HalveGaps, Place::EndInOrder];
        for round in 0..self.rounds() {
            let each = [
                Place::HalveForth,
                Place::HalveBack,
                Place::HalveGap,
                Place::EndOneInOrder,
            ];
            places.extend(each.map(|place| place(round)));
        }
        for (host, plan) in (0..).zip(&self.hosts) {
            for app in 0..plan.apps.len() as u16 {
                places.push(Place::Halve { host, app });
                places.push(Place::StartAtOnce { host, app });
                places.push(Place::ReadEagerly { host, app });
                places.push(Place::KeepBuffers { host, app });
                places.push(Place::AcceptAtOnce { host, app });
            }
            places.push(Place::InOnePiece(host));
            places.extend((0..SETTINGS.len()).map(|setting| Place::ByTheBook { host, setting }));
        }
        let links = 0..self.links.len() as u32;
        places.extend(links.clone().map(Place::Unrated));
        places.extend(links.clone().map(Place::Unmanaged));
        places.extend(links.map(Place::Wide));
        places.extend((0..self.cuts.len() as u32).map(Place::CutHalf));
        for crash in 0..self.crashes.len() as u32 {
            let each = [Place::OffHalf, Place::RememberAll, Place::NotQuiet];
            places.extend(each.map(|place| place(crash)));
        }
        places.extend([Place::HealEarlier, Place::HoldLess]);
        for (attacker, plan) in (0..).zip(&self.attackers) {
            for attack in 0..plan.attacks.len() as u16 {
                places.push(Place::AttackEndsEarlier { attacker, attack });
                places.push(Place::AttackStartsLater { attacker, attack });
            }
        }
        places
    }

    /// Makes the number at this place simpler; `None` if there is none.
    pub(super) fn simplify(&mut self, place: Place) -> Option<()> {
        match place {
            Place::Halve { host, app } => halve(self.talk_mut(host, app)?),
            Place::ReadEagerly { host, app } => {
                let talk = self.talk_mut(host, app)?;
                (talk.read, talk.urgent_every) = (Read::Eager, 0);
            }
            Place::KeepBuffers { host, app } => {
                let talk = self.talk_mut(host, app)?;
                (talk.buffers, talk.resized) = (None, None);
            }
            Place::AcceptAtOnce { host, app } => {
                let plan = self.hosts.get_mut(usize::from(host))?;
                let Role::Serve(serve) = &mut plan.apps.get_mut(usize::from(app))?.role else {
                    return None;
                };
                serve.accept_pause = Duration::ZERO;
                serve.defer_accept = None;
                serve.backlog = serve.backlog.max(8);
            }
            Place::StartAtOnce { host, app } => {
                let plan = self.hosts.get_mut(usize::from(host))?;
                plan.apps.get_mut(usize::from(app))?.start = Duration::ZERO;
            }
            Place::HalveGaps => self.each_round(|round| round.gap /= 2),
            Place::HalveRounds => self.each_round(|round| {
                (round.a_to_b, round.b_to_a) = (round.a_to_b / 2, round.b_to_a / 2);
            }),
            Place::HalveGap(nth) => self.one_round(nth, |round| round.gap /= 2),
            Place::HalveForth(nth) => self.one_round(nth, |round| round.a_to_b /= 2),
            Place::HalveBack(nth) => self.one_round(nth, |round| round.b_to_a /= 2),
            Place::EndOneInOrder(nth) => {
                self.one_round(nth, |round| round.ending = RoundEnding::Orderly);
            }
            Place::EndInOrder => self.each_round(|round| round.ending = RoundEnding::Orderly),
            Place::ByTheBook { host, setting } => {
                let first = &mut self.hosts.get_mut(usize::from(host))?.config;
                let later = self.crashes.iter_mut().filter(|crash| crash.host == host);
                for config in later.map(|crash| &mut crash.config).chain([first]) {
                    SETTINGS[setting](config, Config::new(Vec::new(), [0; 32]));
                }
            }
            Place::InOnePiece(host) => {
                self.hosts.get_mut(usize::from(host))?.may_be_cut_up = false;
            }
            Place::Unmanaged(link) => self.links.get_mut(link as usize)?.aqm = Aqm::None,
            Place::Wide(link) => self.links.get_mut(link as usize)?.mtu = None,
            Place::Unrated(link) => self.links.get_mut(link as usize)?.rate = None,
            Place::CutHalf(cut) => self.cuts.get_mut(cut as usize)?.lasts /= 2,
            Place::OffHalf(crash) => self.crashes.get_mut(crash as usize)?.off /= 2,
            Place::RememberAll(crash) => {
                let crash = self.crashes.get_mut(crash as usize)?;
                let before = &self.hosts.get(usize::from(crash.host))?.config;
                crash.config.secret = before.secret;
                crash.config.isn_epoch = before.isn_epoch;
            }
            Place::NotQuiet(crash) => {
                self.crashes.get_mut(crash as usize)?.config.quiet_time = None;
            }
            // Below a second nothing is gained any more; and links are up again before.
            Place::HealEarlier if self.heal_at > Duration::from_secs(1) => {
                self.heal_at = (self.heal_at / 2).max(self.cuts_end()).min(self.heal_at);
            }
            Place::HealEarlier => return None,
            Place::HoldLess => {
                let FaultPlan::Drawn { hops, .. } = &mut self.faults else {
                    return None;
                };
                hops.iter_mut().for_each(|(_, faults)| faults.hold_max /= 2);
            }
            Place::AttackEndsEarlier { attacker, attack } => {
                let attack = self.attack_mut(attacker, attack)?;
                attack.count = attack.count.div_ceil(2);
            }
            Place::AttackStartsLater { attacker, attack } => {
                self.attack_mut(attacker, attack)?.start_later();
            }
        }
        Some(())
    }

    fn attack_mut(&mut self, attacker: u16, attack: u16) -> Option<&mut Attack> {
        let plan = self.attackers.get_mut(usize::from(attacker))?;
        plan.attacks.get_mut(usize::from(attack))
    }

    fn talk_mut(&mut self, host: u16, app: u16) -> Option<&mut Talk> {
        let plan = self.hosts.get_mut(usize::from(host))?;
        match &mut plan.apps.get_mut(usize::from(app))?.role {
            Role::Serve(serve) => Some(&mut serve.talk),
            Role::Call(call) => Some(&mut call.talk),
            Role::Churn(_) => None,
        }
    }

    fn one_round(&mut self, nth: u32, change: impl Fn(&mut Round)) {
        self.churns_mut()
            .filter_map(|churn| churn.rounds.get_mut(nth as usize))
            .for_each(change);
    }

    fn each_round(&mut self, change: impl Fn(&mut Round)) {
        self.churns_mut()
            .flat_map(|churn| &mut churn.rounds)
            .for_each(change);
    }
}

fn halve(talk: &mut Talk) {
    match &mut talk.write {
        Write::Octets(octets) => *octets /= 2,
        Write::Respond { response, .. } => *response = (*response / 2).max(1),
        Write::Request { count, pause, .. } => {
            *count = (*count / 2).max(1);
            *pause /= 2;
        }
    }
    if let Ending::Abort(octets) = &mut talk.ending {
        *octets /= 2;
    }
}
