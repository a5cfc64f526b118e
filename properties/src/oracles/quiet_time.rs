//! `quiet-time` \[I+W\]: a host that has forgotten which sequence numbers it used keeps quiet (RFC
//! 9293 §3.4.3, §3.4.2).
//!
//! Where the scenario tells a boot to keep a quiet time, no segment leaves before it is over: no
//! SYN, and no answer either, not even a RST. It counts from the boot. A boot that was told none
//! keeps none: then E2 is broken, and `incarnation` finds no more than hazards for an MSL.

use timewait_sim::{Finding, Instant, Observation};

use crate::event::HostEvent;
use crate::facts::{Facts, Seconds};
use crate::oracle::Judge;

const NAME: &str = "quiet-time";

/// The oracle `quiet-time`.
#[derive(Debug, Default)]
pub struct QuietTime;

impl Judge for QuietTime {
    fn name(&self) -> &'static str {
        NAME
    }

    fn observe(
        &mut self,
        now: Instant,
        seen: &Observation<'_, HostEvent>,
        facts: &Facts,
        findings: &mut Vec<Finding>,
    ) {
        let Observation::Sent { packet, .. } = *seen else {
            return;
        };
        let host = packet.id.origin;
        let until = facts.quiet_until(host).filter(|until| now < *until);
        findings.extend(until.map(|until| {
            let message = format!(
                "h{} sends datagram {} in its quiet time, which lasts until {}",
                host.0,
                packet.id.ordinal,
                Seconds(until)
            );
            Finding::violation(NAME, now, message)
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::QuietTime;
    use crate::staging::{A, B, MSL, Stage, circumstances, seg};
    use timewait_stack::wire::Flags;

    /// B has crashed, booted again, and is to keep quiet for an MSL of a second, or not.
    fn booted(quiet: bool) -> Stage {
        let mut circumstances = circumstances();
        let mut config = circumstances.hosts[&B].clone();
        config.quiet_time = quiet.then_some(MSL);
        circumstances.reboots.insert((B, 1), config);
        let mut stage = Stage::under(circumstances, vec![Box::<QuietTime>::default()]);
        stage.crash(B);
        stage.pass_ms(300);
        stage.boot(B);
        stage
    }

    #[test]
    fn nothing_leaves_before_the_quiet_time_is_over() {
        for (ms, quiet, fine) in [
            (0, true, false),
            (999, true, false),
            (1000, true, true),
            (0, false, true),
        ] {
            let mut stage = booted(quiet);
            stage.pass_ms(ms);
            let client = stage.connect(B, 7);
            stage.send(client, seg(Flags::SYN).seq(7));
            match fine {
                true => stage.assert_silent(),
                false => stage.assert_violation("in its quiet time, which lasts until 1.300"),
            }
        }
    }

    #[test]
    fn not_even_a_reset_leaves_and_others_need_not_wait() {
        let mut stage = booted(true);
        let client = stage.connect(A, 7);
        let syn = stage.send(client, seg(Flags::SYN).seq(7));
        stage.assert_silent();
        stage.deliver(&syn);
        stage.echo(&syn, seg(Flags::RST | Flags::ACK).ack(8));
        stage.assert_violation("in its quiet time");
    }
}
