use core::cell::RefCell;
use core::time::Duration;
use std::rc::Rc;

use timewait_sim::{Finding, Instant, Observation, Oracle};
use timewait_stack::Errno;

use crate::check::{Report, Run, Watch};
use crate::event::{HostEvent, UserEvent};
use crate::pair::pair;
use crate::scenario::{
    AppPlan, Call, Churn, End, Ending, Read, Role, Round, RoundEnding, Scenario, Serve, Talk, Write,
};

const PATIENCE: Duration = Duration::from_secs(60);

type Log = Rc<RefCell<Vec<(Instant, u32, UserEvent)>>>;

struct Users(Log);

impl Oracle<HostEvent> for Users {
    fn name(&self) -> &'static str {
        "users"
    }
    fn observe(&mut self, now: Instant, seen: &Observation<'_, HostEvent>, _: &mut Vec<Finding>) {
        if let Observation::Node {
            node,
            event: HostEvent::User(event),
            ..
        } = seen
        {
            self.0.borrow_mut().push((now, node.0, event.clone()));
        }
    }
}

/// What the users of a run did, and its report.
struct Seen {
    log: Vec<(Instant, u32, UserEvent)>,
    report: Report,
}

impl Seen {
    fn run(scenario: &Scenario) -> Self {
        let log = Log::default();
        let users = Box::new(Users(log.clone()));
        let mut run = Run::new(scenario, Watch::NOTHING, vec![users]);
        run.run();
        let report = run.finish();
        assert!(report.quiet, "it never comes to rest");
        assert_eq!(report.left_over, 0);
        Self {
            log: log.take(),
            report,
        }
    }

    fn of(&self, host: u32) -> impl Iterator<Item = &UserEvent> {
        self.log
            .iter()
            .filter(move |(_, at, _)| *at == host)
            .map(|(_, _, event)| event)
    }

    fn received(&self, host: u32) -> u64 {
        let received = self.of(host).map(|event| match event {
            UserEvent::Received { octets, .. } => octets.len() as u64,
            _ => 0,
        });
        received.sum()
    }

    fn has(&self, host: u32, wanted: impl Fn(&UserEvent) -> bool) -> bool {
        self.of(host).any(wanted)
    }
}

fn talk(write: Write, ending: Ending) -> Talk {
    Talk {
        write,
        ending,
        ..Talk::sink(PATIENCE)
    }
}

/// A client at host 0 and a server at host 1.
fn two(client: Talk, server: Option<Talk>) -> Scenario {
    let mut scenario = pair(1).scenario().clone();
    let call = Call {
        from: 0,
        host: 1,
        port: 80,
        talk: client,
    };
    let start = Duration::from_millis(1);
    scenario.hosts[0].apps.push(AppPlan {
        start,
        role: Role::Call(call),
    });
    if let Some(talk) = server {
        let serve = Serve {
            port: 80,
            backlog: 1,
            accept_pause: Duration::ZERO,
            defer_accept: None,
            clients: 1,
            patience: PATIENCE,
            talk,
        };
        let start = Duration::ZERO;
        scenario.hosts[1].apps.push(AppPlan {
            start,
            role: Role::Serve(serve),
        });
    }
    scenario
}

fn converse(client: Talk, server: Talk) -> Seen {
    Seen::run(&two(client, Some(server)))
}

#[test]
fn an_echo_is_as_long_as_what_was_said() {
    let seen = converse(Talk::bulk(100_000, PATIENCE), Talk::echo(PATIENCE));
    assert_eq!((seen.received(1), seen.received(0)), (100_000, 100_000));
    let peaceful = |event: &UserEvent| {
        matches!(
            event,
            UserEvent::EndOfFile {
                offset: 100_000,
                ..
            }
        )
    };
    assert!(seen.has(0, peaceful) && seen.has(1, peaceful));
}

#[test]
fn a_request_waits_for_the_answer_before_it_and_for_its_pause() {
    let (request, response) = (100, 3000);
    let pause = Duration::from_millis(500);
    let client = talk(
        Write::Request {
            count: 3,
            request,
            response,
            pause,
        },
        Ending::Shut,
    );
    let seen = converse(
        client,
        talk(Write::Respond { request, response }, Ending::Passive),
    );
    assert_eq!((seen.received(1), seen.received(0)), (300, 9000));
    let mut received = 0;
    let mut sent = 0;
    let mut answered_at = None;
    for (now, _, event) in seen.log.iter().filter(|(_, host, _)| *host == 0) {
        match event {
            UserEvent::Received { octets, .. } => {
                received += octets.len();
                answered_at = Some(*now);
            }
            UserEvent::Sent { .. } => {
                assert_eq!(received, 3000 * sent);
                assert!(answered_at.is_none_or(|at| *now >= at + pause));
                sent += 1;
            }
            _ => {}
        }
    }
    assert_eq!(sent, 3);
}

#[test]
fn a_half_closer_reads_on() {
    let server = talk(Write::Octets(50_000), Ending::Passive);
    let seen = converse(talk(Write::Octets(10), Ending::Shut), server);
    let shut = seen
        .of(0)
        .position(|event| matches!(event, UserEvent::Shutdown { write: true, .. }));
    let last = seen
        .of(0)
        .position(|event| matches!(event, UserEvent::EndOfFile { .. }));
    assert!(shut < last);
    assert_eq!(seen.received(0), 50_000);
}

#[test]
fn an_abort_fails_the_other_user() {
    let server = talk(Write::Octets(0), Ending::Abort(1000));
    let seen = converse(Talk::bulk(50_000, PATIENCE), server);
    assert!(seen.has(1, |event| matches!(event, UserEvent::Aborted { .. })));
    let reset = |event: &UserEvent| {
        matches!(
            event,
            UserEvent::Failed {
                error: Errno::ECONNRESET,
                ..
            }
        )
    };
    assert!(seen.has(0, reset));
}

#[test]
fn a_slow_reader_takes_a_few_octets_each_time() {
    let every = Duration::from_millis(10);
    let reader = Talk {
        read: Read::Slow { octets: 50, every },
        ..Talk::sink(PATIENCE)
    };
    let seen = converse(Talk::bulk(5000, PATIENCE), reader);
    assert_eq!(seen.received(1), 5000);
    let mut last = None;
    for (now, host, event) in &seen.log {
        if let (1, UserEvent::Received { octets, .. }) = (*host, event) {
            assert!(octets.len() <= 50);
            assert!(last.is_none_or(|last: Instant| *now >= last + every));
            last = Some(*now);
        }
    }
}

#[test]
fn a_stalled_reader_stops_once() {
    let pause = Duration::from_secs(7);
    let reader = Talk {
        read: Read::Stall { after: 1000, pause },
        ..Talk::sink(PATIENCE)
    };
    let seen = converse(Talk::bulk(5000, PATIENCE), reader);
    assert_eq!(seen.received(1), 5000);
    let reads: Vec<Instant> = seen
        .log
        .iter()
        .filter(|(_, host, event)| *host == 1 && matches!(event, UserEvent::Received { .. }))
        .map(|(now, ..)| *now)
        .collect();
    let stops = reads
        .windows(2)
        .filter(|pair| pair[1] >= pair[0] + pause)
        .count();
    assert_eq!(stops, 1);
}

#[test]
fn who_never_reads_runs_out_of_patience() {
    let deaf = Talk {
        read: Read::Never,
        ..Talk::sink(Duration::from_secs(5))
    };
    let seen = converse(Talk::bulk(200_000, PATIENCE), deaf);
    assert_eq!(seen.received(1), 0);
    let closed =
        |event: &UserEvent| matches!(event, UserEvent::Closed { unread, .. } if *unread > 0);
    assert!(seen.has(1, closed));
}

#[test]
fn who_closes_after_a_time_does_so_in_any_state() {
    let hasty = talk(Write::Octets(1), Ending::After(Duration::from_millis(2)));
    let seen = Seen::run(&two(hasty, None));
    assert!(!seen.has(0, |event| matches!(event, UserEvent::Connected { .. })));
    assert!(seen.has(0, |event| matches!(event, UserEvent::Closed { .. })));
    assert!(seen.report.simulated < Duration::from_secs(2));
}

fn churn(rounds: &[Round], ends: &[End]) -> Scenario {
    let mut scenario = pair(1).scenario().clone();
    scenario
        .hosts
        .iter_mut()
        .for_each(|host| host.config.msl = Duration::from_millis(500));
    scenario.lifetime = Some(Duration::from_millis(500));
    for &end in ends {
        let (host, port, peer_port) = if end == End::A { (1, 1, 2) } else { (0, 2, 1) };
        let patience = Duration::from_secs(10);
        let churn = Churn {
            end,
            port,
            host,
            peer_port,
            patience,
            rounds: rounds.to_vec(),
        };
        let app = AppPlan {
            start: Duration::ZERO,
            role: Role::Churn(churn),
        };
        scenario.hosts[usize::from(1 - host)].apps.push(app);
    }
    scenario
}

/// Rounds of every combination of opener and closer, which end like this.
fn rounds(ending: RoundEnding) -> Vec<Round> {
    let gap = Duration::from_millis(20);
    let ends = [End::A, End::B];
    let both = ends
        .into_iter()
        .flat_map(|opener| ends.map(|closer| (opener, closer)));
    both.cycle()
        .take(12)
        .map(|(opener, closer)| Round {
            gap,
            opener,
            closer,
            a_to_b: 70_000,
            b_to_a: 1000,
            ending,
        })
        .collect()
}

#[test]
fn both_ends_of_a_churn_go_through_all_rounds_together() {
    let rounds = rounds(RoundEnding::Orderly);
    let seen = Seen::run(&churn(&rounds, &[End::A, End::B]));
    assert_eq!(
        (seen.received(0), seen.received(1)),
        (12 * 1000, 12 * 70_000)
    );
    let accepted = |host| {
        seen.of(host)
            .filter(|event| matches!(event, UserEvent::Accepted { .. }))
    };
    assert_eq!((accepted(0).count(), accepted(1).count()), (6, 6));
    let failed = |event: &UserEvent| matches!(event, UserEvent::Failed { .. });
    assert!(!seen.has(0, failed) && !seen.has(1, failed));
}

#[test]
fn aborted_rounds_go_by_as_well() {
    let rounds = rounds(RoundEnding::Abort(Duration::from_millis(35)));
    let seen = Seen::run(&churn(&rounds, &[End::A, End::B]));
    let aborted = |host| {
        seen.of(host)
            .filter(|event| matches!(event, UserEvent::Aborted { .. }))
    };
    assert_eq!(aborted(0).count() + aborted(1).count(), 12);
}

#[test]
fn a_round_that_ends_in_syn_sent_needs_no_peer() {
    let rounds = rounds(RoundEnding::InSynSent(Duration::from_micros(500)));
    let seen = Seen::run(&churn(&rounds, &[End::A, End::B]));
    let connected = |event: &UserEvent| matches!(event, UserEvent::Connected { .. });
    assert!(!seen.has(0, connected) && !seen.has(1, connected));
    let closed = |host| {
        seen.of(host)
            .filter(|event| matches!(event, UserEvent::Closed { .. }))
    };
    // Six connections at either end, and the listener.
    assert_eq!((closed(0).count(), closed(1).count()), (7, 7));
}

#[test]
fn an_end_that_is_left_alone_gives_up() {
    let seen = Seen::run(&churn(&rounds(RoundEnding::Orderly), &[End::B]));
    let refused = |event: &&UserEvent| {
        matches!(
            event,
            UserEvent::Failed {
                error: Errno::ECONNREFUSED,
                ..
            }
        )
    };
    assert!(seen.of(1).filter(refused).count() >= 12);
}
