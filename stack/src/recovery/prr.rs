//! Proportional rate reduction (RFC 9937, which replaces RFC 6937): how much a connection may send
//! for each ACK of a recovery, so that at its end about ssthresh octets are in the network.

/// The variables of one recovery, all in octets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Prr {
    /// Delivered since it began.
    pub(crate) delivered: u32,
    /// Sent since it began.
    pub(crate) out: u32,
    /// RecoverFS: what may be delivered during it.
    pub(crate) recover_fs: u32,
}

impl Prr {
    /// §6.1: `in_flight`, what was outstanding when the ACK came that began it, without what
    /// earlier ACKs had reported.
    pub(crate) fn new(in_flight: u32) -> Self {
        Self {
            delivered: 0,
            out: 0,
            recover_fs: in_flight.max(1),
        }
    }

    /// §6.2: the cwnd after an ACK that delivered `delivered` octets. `safe`: it moved SND.UNA and
    /// told of no further loss.
    pub(crate) fn on_ack(
        &mut self,
        delivered: u32,
        safe: bool,
        pipe: u32,
        ssthresh: u32,
        smss: u32,
    ) -> u32 {
        self.delivered = self.delivered.saturating_add(delivered);
        let count = if pipe > ssthresh {
            let share = u64::from(self.delivered) * u64::from(ssthresh);
            let due = share.div_ceil(u64::from(self.recover_fs)) as u32;
            due.saturating_sub(self.out)
        } else {
            let room = self.delivered.saturating_sub(self.out).max(delivered);
            let room = if safe { room + smss } else { room };
            room.min(ssthresh - pipe)
        };
        // The first retransmission goes in any case.
        let count = if self.out == 0 && count == 0 {
            smss
        } else {
            count
        };
        pipe + count
    }

    pub(crate) fn on_sent(&mut self, octets: u32) {
        self.out = self.out.saturating_add(octets);
    }
}

#[cfg(test)]
mod tests {
    use super::Prr;

    const SMSS: u32 = 1000;

    #[test]
    fn in_proportion_while_more_than_ssthresh_is_in_the_network() {
        // RFC 9937 §6.2: of ten segments five are to remain, so one goes for every two delivered.
        let mut prr = Prr::new(10 * SMSS);
        let mut pipe = 9 * SMSS;
        prr.on_sent(SMSS);
        let room = [(); 4].map(|()| {
            let room = prr.on_ack(SMSS, true, pipe, 5 * SMSS, SMSS) - pipe;
            if room >= SMSS {
                prr.on_sent(SMSS);
            } else {
                pipe -= SMSS;
            }
            room
        });
        assert_eq!(room, [0, 0, 500, 1000]);
    }

    #[test]
    fn below_ssthresh_an_ack_that_tells_of_loss_lets_no_more_go_than_it_delivered() {
        let mut prr = Prr::new(20 * SMSS);
        prr.on_sent(2 * SMSS);
        assert_eq!(
            prr.on_ack(2 * SMSS, false, 4 * SMSS, 10 * SMSS, SMSS),
            6 * SMSS
        );
        assert_eq!(
            prr.on_ack(2 * SMSS, true, 4 * SMSS, 10 * SMSS, SMSS),
            7 * SMSS
        );
    }

    #[test]
    fn it_never_aims_above_ssthresh() {
        let mut prr = Prr::new(20 * SMSS);
        assert_eq!(
            prr.on_ack(9 * SMSS, true, 9 * SMSS, 10 * SMSS, SMSS),
            10 * SMSS
        );
    }

    #[test]
    fn the_first_retransmission_always_goes() {
        let mut prr = Prr::new(20 * SMSS);
        assert_eq!(prr.on_ack(0, false, 10 * SMSS, 10 * SMSS, SMSS), 11 * SMSS);
    }
}
