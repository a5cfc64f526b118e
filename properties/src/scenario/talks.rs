//! Ways to behave on a connection.

use core::time::Duration;

use super::{AppPlan, Buffers, Call, Ending, Read, Role, Serve, Talk, Write};
use crate::choose::Choose;

/// A few octets, about the sizes where segments begin and end.
pub(crate) fn small(choose: &mut dyn Choose) -> u64 {
    *choose.pick(&[0, 1, 535, 536, 537, 1459, 1460, 1461, 3000, 5000])
}

/// Connections that may wait to be accepted: often but one.
pub(crate) fn backlog(choose: &mut dyn Choose) -> u16 {
    *choose.pick(&[8, 5, 3, 2, 1, 1])
}

/// How slowly a server accepts: mostly at once.
pub(crate) fn accept_pause(choose: &mut dyn Choose) -> Duration {
    match choose.below(4) {
        3 => Duration::from_millis(choose.log_between(1, 5000)),
        _ => Duration::ZERO,
    }
}

/// How long a server waits for text before it accepts. Shorter than the R2 of any SYN-ACK.
pub(crate) fn defer_accept(choose: &mut dyn Choose) -> Option<Duration> {
    choose
        .chance(1, 6)
        .then(|| Duration::from_millis(choose.log_between(10, 1000)))
}

/// A user who calls this port of another host, from its own port or, with 0, an ephemeral one.
pub(crate) fn caller(start: Duration, from: u16, (host, port): (u16, u16), talk: Talk) -> AppPlan {
    let role = Role::Call(Call {
        from,
        host,
        port,
        talk,
    });
    AppPlan { start, role }
}

/// A server for so many clients that has its own ways to accept, from the start of the run on.
pub(crate) fn server(
    choose: &mut dyn Choose,
    port: u16,
    clients: u16,
    patience: Duration,
    talk: Talk,
) -> AppPlan {
    let role = Role::Serve(Serve {
        port,
        backlog: backlog(choose),
        accept_pause: accept_pause(choose),
        defer_accept: defer_accept(choose),
        clients,
        patience,
        talk,
    });
    AppPlan {
        start: Duration::ZERO,
        role,
    }
}

/// How somebody reads: mostly at once.
pub(crate) fn reader(choose: &mut dyn Choose) -> Read {
    match choose.below(8) {
        6 => Read::Slow {
            octets: *choose.pick(&[4000, 1000, 536, 100, 50]),
            every: Duration::from_millis(10),
        },
        7 => Read::Stall {
            after: choose.log_between(1, 32 << 10),
            pause: Duration::from_secs(choose.between(1, 90)),
        },
        _ => Read::Eager,
    }
}

/// Buffers, each with room for two segments of the largest MTU.
fn buffers(choose: &mut dyn Choose) -> Buffers {
    Buffers {
        receive: *choose.pick(&[65_535, 20_000, 32_768, 262_144, 1 << 20]),
        send: *choose.pick(&[65_536, 20_000, 262_144]),
    }
}

/// Somebody sets the buffers of his sockets, before there is a connection or in its middle.
fn set_buffers(choose: &mut dyn Choose, talk: &mut Talk) {
    if choose.chance(1, 8) {
        talk.buffers = Some(buffers(choose));
    }
    if choose.chance(1, 8) {
        talk.resized = Some((choose.log_between(1, 64 << 10), buffers(choose)));
    }
}

/// How a client and its server behave to each other.
pub(crate) fn pair(choose: &mut dyn Choose, patience: Duration) -> (Talk, Talk) {
    let talk = |write, ending| Talk {
        write,
        ending,
        ..Talk::sink(patience)
    };
    let octets = choose.log_between(1, 256 << 10);
    let (mut client, mut server) = match choose.below(9) {
        0 => {
            let (request, response) = (
                choose.log_between(1, 3000) as u32,
                choose.log_between(1, 6000) as u32,
            );
            let count = choose.between(1, 20) as u32;
            let pause = Duration::from_millis(choose.below(300));
            let write = Write::Request {
                count,
                request,
                response,
                pause,
            };
            (
                talk(write, Ending::Shut),
                talk(Write::Respond { request, response }, Ending::Passive),
            )
        }
        1 => {
            let echo = Write::Respond {
                request: 1,
                response: 1,
            };
            (
                talk(Write::Octets(octets), Ending::Shut),
                talk(echo, Ending::Passive),
            )
        }
        2 => (
            talk(
                Write::Octets(octets),
                *choose.pick(&[Ending::Shut, Ending::Close]),
            ),
            talk(Write::Octets(0), Ending::Passive),
        ),
        3 => (
            talk(Write::Octets(0), Ending::Passive),
            talk(Write::Octets(octets), Ending::Shut),
        ),
        4 => (
            talk(Write::Octets(octets), Ending::Shut),
            talk(Write::Octets(octets), Ending::Shut),
        ),
        5 => (
            talk(Write::Octets(small(choose)), Ending::Shut),
            talk(Write::Octets(octets), Ending::Passive),
        ),
        6 => (
            talk(Write::Octets(octets), Ending::Abort(choose.below(octets))),
            talk(Write::Octets(octets), Ending::Passive),
        ),
        7 => (
            talk(Write::Octets(octets), Ending::Passive),
            talk(Write::Octets(octets), Ending::Abort(choose.below(octets))),
        ),
        _ => {
            let ending = Ending::After(Duration::from_millis(choose.log_between(1, 20_000)));
            (
                talk(Write::Octets(octets), ending),
                talk(Write::Octets(octets), Ending::Shut),
            )
        }
    };
    client.read = reader(choose);
    server.read = reader(choose);
    set_buffers(choose, &mut client);
    set_buffers(choose, &mut server);
    if choose.chance(1, 16) {
        server.read = Read::Never;
        server.patience = Duration::from_secs(choose.between(1, 60));
    }
    if choose.chance(1, 8) {
        // Not every single octet: each is a call of its own, and a user makes a bounded number at once.
        client.urgent_every = choose.log_between(64, 32 << 10) as u32;
    }
    (client, server)
}

impl Talk {
    /// Reads everything and sends nothing; and whoever is made from it sends nothing urgent
    /// unless told so (SHLD-13).
    pub const fn sink(patience: Duration) -> Self {
        let (write, ending) = (Write::Octets(0), Ending::Passive);
        Self {
            write,
            urgent_every: 0,
            read: Read::Eager,
            buffers: None,
            resized: None,
            ending,
            patience,
        }
    }

    /// Sends an octet for every octet it gets.
    pub const fn echo(patience: Duration) -> Self {
        Self {
            write: Write::Respond {
                request: 1,
                response: 1,
            },
            ..Self::sink(patience)
        }
    }

    /// Sends so many octets as fast as they are taken, and closes.
    pub const fn bulk(octets: u64, patience: Duration) -> Self {
        Self {
            write: Write::Octets(octets),
            ending: Ending::Shut,
            ..Self::sink(patience)
        }
    }
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use crate::scenario::Talk;

    #[test]
    fn nobody_sends_urgent_data_unasked() {
        let patience = Duration::from_secs(1);
        let talks = [
            Talk::sink(patience),
            Talk::echo(patience),
            Talk::bulk(9, patience),
        ];
        assert!(talks.iter().all(|talk| talk.urgent_every == 0), "SHLD-13");
    }
}
