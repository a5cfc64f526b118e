use core::cell::RefCell;
use core::net::{IpAddr, Ipv4Addr, SocketAddr};
use core::time::Duration;
use std::rc::Rc;

use timewait_sim::fates::{Dice, LinkFaults};
use timewait_sim::{
    Finding, Instant, LinkConfig, Node, NodeId, Observation, Oracle, World, WorldConfig,
};
use timewait_stack::event::Ready;
use timewait_stack::{Config, ConnectionId, Interest, SocketId};

use super::{Calls, Host};
use crate::app::{App, Server};
use crate::content;
use crate::event::{HostEvent, UserEvent};
use crate::label::{Incarnation, class};
use crate::scenario::{Buffers, Serve, Talk};

const PATIENCE: Duration = Duration::from_secs(60);

fn address(last: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(10, 0, 0, last))
}

fn host(index: u32) -> Host {
    let config = Config::new(vec![address(index as u8 + 1)], [index as u8; 32]);
    let mut host = Host::new(NodeId(index), config);
    host.set_interest(Interest::all(), true);
    host
}

/// What was sent, and what users did.
#[derive(Default)]
struct Seen {
    /// Node, tag and class of each datagram.
    sent: Vec<(u32, Incarnation, u16)>,
    users: Vec<(u32, UserEvent)>,
}

struct Watcher(Rc<RefCell<Seen>>);

impl Oracle<HostEvent> for Watcher {
    fn name(&self) -> &'static str {
        "watcher"
    }
    fn observe(&mut self, _: Instant, seen: &Observation<'_, HostEvent>, _: &mut Vec<Finding>) {
        let mut log = self.0.borrow_mut();
        match seen {
            Observation::Sent { packet, .. } => {
                let tag = Incarnation::from_tag(packet.tag);
                log.sent.push((packet.id.origin.0, tag, packet.class));
            }
            Observation::Node {
                node,
                event: HostEvent::User(event),
                ..
            } => {
                log.users.push((node.0, event.clone()));
            }
            _ => {}
        }
    }
}

fn world(hosts: [Host; 2]) -> (World<Host, Dice>, Rc<RefCell<Seen>>) {
    let mut world = World::new(
        WorldConfig::default(),
        Dice::everywhere(1, LinkFaults::NONE),
    );
    let [a, b] = hosts;
    let a = world.add_node(a, &[address(1)]);
    let b = world.add_node(b, &[address(2)]);
    world.connect(a, b, LinkConfig::with_delay(Duration::from_millis(1)));
    let seen = Rc::new(RefCell::new(Seen::default()));
    world.add_oracle(Box::new(Watcher(seen.clone())));
    (world, seen)
}

fn echo_server(clients: u16) -> Box<Server> {
    let talk = Talk::echo(PATIENCE);
    Box::new(Server::new(Serve {
        port: 7,
        backlog: 4,
        accept_pause: Duration::ZERO,
        defer_accept: None,
        clients,
        patience: PATIENCE,
        talk,
    }))
}

fn connect(world: &mut World<Host, Dice>, port: u16) -> SocketId {
    world.with(NodeId(0), |host, now| {
        let mut calls = host.calls(now);
        let socket = calls.socket();
        calls
            .connect(socket, SocketAddr::new(address(2), port))
            .expect("nothing is in the way");
        socket
    })
}

fn incarnation(host: u32, connection: u64) -> Incarnation {
    Incarnation {
        host: NodeId(host),
        boot: 0,
        connection: ConnectionId(connection),
    }
}

#[test]
fn datagrams_carry_their_sender_and_a_reset_that_of_its_cause() {
    let (mut world, seen) = world([host(0), host(1)]);
    let socket = connect(&mut world, 9);
    while world.step() {}
    let client = world.with(NodeId(0), |host, now| host.calls(now).incarnation(socket));
    let client = client.expect("it opened a connection");
    let seen = seen.borrow();
    assert_eq!(seen.sent[0], (0, client, class::OPEN));
    assert_eq!(seen.sent[1], (1, client, class::RST | class::ECHO));
    assert_eq!(seen.sent.len(), 2);
}

#[test]
fn buffers_that_a_user_sets_are_told() {
    let (mut world, seen) = world([host(0), host(1)]);
    let buffers = Buffers {
        receive: 5000,
        send: 6000,
    };
    world.with(NodeId(0), |host, now| {
        let mut calls = host.calls(now);
        let socket = calls.socket();
        calls.set_buffers(socket, buffers);
        let to = SocketAddr::new(address(1), 7);
        assert_eq!(calls.connect(socket, to), Ok(()));
    });
    let seen = seen.borrow();
    let told = seen.users.iter().map(|(_, event)| event).nth(1);
    assert!(
        matches!(
            told,
            Some(UserEvent::Buffers {
                receive: 5000,
                send: 6000,
                ..
            })
        ),
        "{told:?}"
    );
}

#[test]
fn what_users_do_is_told_in_order_with_offsets() {
    let (mut world, seen) = world([host(0), host(1)]);
    world.with(NodeId(1), |host, now| host.start_app(now, echo_server(1)));
    let socket = connect(&mut world, 7);
    world.run_until(Instant::from_nanos(10_000_000));
    let mut reply = [0; 8];
    world.with(NodeId(0), |host, now| {
        assert_eq!(host.calls(now).send_content(socket, 5), Ok(5));
        assert_eq!(host.calls(now).send_content(socket, 3), Ok(3));
    });
    world.run_until(Instant::from_nanos(1_000_000_000));
    world.with(NodeId(0), |host, now| {
        let mut calls = host.calls(now);
        assert_eq!(calls.recv(socket, &mut reply), Ok(8));
        assert_eq!((calls.sent(socket), calls.received(socket)), (8, 8));
        calls.close(socket).expect("it is open");
    });
    while world.step() {}
    let seen = seen.borrow();
    let of = |node| {
        seen.users
            .iter()
            .filter(move |(at, _)| *at == node)
            .map(|(_, event)| event)
    };
    let Some(UserEvent::Connecting { connection, .. }) = of(0).next() else {
        panic!("it calls")
    };
    let connection = *connection;
    let told: Vec<_> = of(0).skip(1).cloned().collect();
    assert_eq!(
        told,
        [
            UserEvent::Connected { connection },
            UserEvent::Sent {
                connection,
                offset: 0,
                octets: 5
            },
            UserEvent::Sent {
                connection,
                offset: 5,
                octets: 3
            },
            UserEvent::Received {
                connection,
                offset: 0,
                octets: reply.to_vec()
            },
            UserEvent::Closed {
                connection,
                unread: 0
            },
        ]
    );
    // The server's echo is its own content, and it has heard what the client sent.
    let Some(UserEvent::Accepted {
        connection: accepted,
    }) = of(1).next()
    else {
        panic!("it serves")
    };
    let mut expected = [0; 8];
    content::fill(incarnation(1, accepted.0), 0, &mut expected);
    assert_eq!(reply, expected);
    let heard = of(1).any(|event| matches!(event, UserEvent::EndOfFile { offset: 8, .. }));
    assert!(heard && world.node(NodeId(1)).busy_apps() == 0);
}

#[test]
fn nothing_is_told_that_nobody_asked_for() {
    let mut quiet = [host(0), host(1)];
    quiet
        .iter_mut()
        .for_each(|host| host.set_interest(Interest::empty(), false));
    let (mut world, seen) = world(quiet);
    world.with(NodeId(1), |host, now| host.start_app(now, echo_server(1)));
    connect(&mut world, 7);
    while world.step() {}
    assert_eq!(seen.borrow().users, []);
    assert!(seen.borrow().sent.len() >= 3);
}

/// Counts up to three on its timer.
#[derive(Debug, Default)]
struct Clockwork {
    next: Option<timewait_stack::Instant>,
    at: Rc<RefCell<Vec<u64>>>,
}

impl App for Clockwork {
    fn start(&mut self, calls: &mut Calls<'_>) {
        self.timeout(calls);
    }
    fn ready(&mut self, _: &mut Calls<'_>, _: SocketId, _: Ready) {}
    fn timeout(&mut self, calls: &mut Calls<'_>) {
        self.at.borrow_mut().push(calls.now().as_nanos());
        self.next = Some(calls.now() + Duration::from_nanos(100));
    }
    fn poll_timeout(&self) -> Option<timewait_stack::Instant> {
        self.next
    }
    fn done(&self) -> bool {
        self.at.borrow().len() == 3
    }
}

#[test]
fn users_are_called_just_when_they_wish_until_they_are_done() {
    let clockwork = Clockwork::default();
    let at = clockwork.at.clone();
    let mut first = host(0);
    first.add_app(Instant::from_nanos(50), Box::new(clockwork));
    let (mut world, _) = world([first, host(1)]);
    while world.step() {}
    assert_eq!(*at.borrow(), [50, 150, 250]);
    assert_eq!(world.node(NodeId(0)).busy_apps(), 0);
    assert_eq!(world.node(NodeId(0)).poll_timeout(), None);
}

#[test]
fn a_reboot_forgets_everything_and_counts_its_boots() {
    let (mut world, seen) = world([host(0), host(1)]);
    world.with(NodeId(1), |host, now| host.start_app(now, echo_server(2)));
    connect(&mut world, 7);
    world.run_until(Instant::from_nanos(10_000_000));
    world.with(NodeId(0), |host, now| {
        let config = host.stack().config().clone();
        host.reboot(now, config, Interest::all());
        assert!(host.stack().netstat().is_empty());
    });
    connect(&mut world, 7);
    world.run_until(Instant::from_nanos(20_000_000));
    let seen = seen.borrow();
    let own = |sent: &&(u32, Incarnation, u16)| sent.0 == 0 && sent.2 & class::ECHO == 0;
    let boots: Vec<_> = seen
        .sent
        .iter()
        .filter(own)
        .map(|sent| sent.1.boot)
        .collect();
    assert_eq!((boots.first(), boots.last()), (Some(&0), Some(&1)));
}
