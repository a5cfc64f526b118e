//! Every way in which a tiny network can go wrong.

use timewait_sim::fates::{Explorer, Listed};
use timewait_sim::{
    Copies, Duration, Fate, Fates, Instant, Node, NodeId, Outcome, Outgoing, Packet, World,
};

use crate::talker::{address, count, finish, heard, link, ms, number_in, pair, saying};

fn later(milliseconds: u64) -> Fate {
    Outcome::Deliver {
        extra: Duration::from_millis(milliseconds),
        damage: None,
    }
    .into()
}

#[test]
fn five_integers_with_two_faults_of_three_kinds_go_wrong_in_106_ways() {
    let twice = Fate {
        original: Outcome::default(),
        copies: Copies::one(Outcome::default()),
    };
    let mut explorer = Explorer::new([Outcome::Drop.into(), later(5), twice], 2);
    let mut outcomes = std::collections::BTreeSet::new();
    while explorer.begin_run() {
        let mut world = pair(&mut explorer);
        count(&mut world, 0..5);
        finish(&mut world);
        assert!(outcomes.insert(heard(&world)) || world.stats().lost + world.stats().delayed > 0);
    }
    // 1 + 5 * 3 + 10 * 9.
    assert_eq!(explorer.runs(), 106);
    assert!(outcomes.contains(&vec![0, 1, 2, 3, 4]) && outcomes.contains(&vec![1, 2, 4]));
    assert!(
        outcomes.contains(&vec![1, 3, 4, 0, 2]) && outcomes.contains(&vec![0, 0, 1, 1, 2, 3, 4])
    );
}

/// Sends integers one by one, each again every 25 ms until the other end repeats it.
struct StopAndWait {
    me: u32,
    /// The integer to be repeated by the other end, and up to where to go.
    awaited: Option<(u32, u32)>,
    /// The flaw to be found: takes any answer for the right one.
    gullible: bool,
    alarm: Option<Instant>,
    /// What the other end has taken, each once.
    taken: Vec<u32>,
    send: Option<u32>,
}

impl StopAndWait {
    fn new(me: u32, awaited: Option<(u32, u32)>, gullible: bool) -> Self {
        Self {
            me,
            awaited,
            gullible,
            alarm: None,
            taken: Vec::new(),
            send: None,
        }
    }
}

impl Node for StopAndWait {
    type Event = ();
    fn start(&mut self, now: Instant) {
        self.handle_timeout(now);
    }
    fn handle_packet(&mut self, now: Instant, packet: &Packet) {
        let Some(number) = number_in(packet.payload.octets()) else {
            return;
        };
        match self.awaited {
            Some((awaited, last)) if awaited == number || self.gullible => {
                self.awaited = (awaited < last).then_some((awaited + 1, last));
                self.handle_timeout(now);
            }
            Some(_) => {}
            None if self.me == 1 => {
                if number as usize == self.taken.len() {
                    self.taken.push(number);
                }
                self.send = Some(number);
            }
            None => {}
        }
    }
    fn handle_timeout(&mut self, now: Instant) {
        self.alarm = self.awaited.map(|_| now + Duration::from_millis(25));
        self.send = self.awaited.map(|(number, _)| number);
    }
    fn poll_transmit(&mut self, _now: Instant) -> Option<Outgoing> {
        self.send
            .take()
            .map(|number| saying(self.me, 1 - self.me, number))
    }
    fn poll_timeout(&self) -> Option<Instant> {
        self.alarm
    }
    fn poll_event(&mut self) -> Option<()> {
        None
    }
}

fn stop_and_wait<F: Fates>(fates: F, gullible: bool) -> World<StopAndWait, F> {
    let mut world = World::new(timewait_sim::WorldConfig::default(), fates);
    for me in [0, 1] {
        let awaited = (me == 0).then_some((0, 2));
        world.add_node(StopAndWait::new(me, awaited, gullible), &[address(me)]);
    }
    world.connect(NodeId(0), NodeId(1), link());
    world.run_until(ms(1_000));
    world
}

#[test]
fn stop_and_wait_survives_every_three_faults() {
    let mut explorer = Explorer::new([Outcome::Drop.into(), later(20)], 3).decisions_max(10);
    while explorer.begin_run() {
        let world = stop_and_wait(&mut explorer, false);
        assert_eq!(world.node(NodeId(1)).taken, [0, 1, 2]);
    }
    assert!(explorer.runs() > 500);
}

#[test]
fn a_flaw_is_found_and_its_faults_replay_it() {
    let mut explorer = Explorer::new([Outcome::Drop.into(), later(20)], 3).decisions_max(10);
    let mut found = None;
    while found.is_none() && explorer.begin_run() {
        let world = stop_and_wait(&mut explorer, true);
        if world.node(NodeId(1)).taken != [0, 1, 2] {
            found = Some(explorer.faults().to_vec());
        }
    }
    let faults = found.expect("an answer to a repetition is taken for that to the next");
    let world = stop_and_wait(Listed::new(faults), true);
    assert_ne!(world.node(NodeId(1)).taken, [0, 1, 2]);
}
