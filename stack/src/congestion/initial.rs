//! The initial window, also the restart window after idleness (RFC 5681 §3.1, §4.1; RFC 6928 §2).

use crate::config::InitialWindow;

/// IW in octets for segments of this size (R5681-01).
pub(super) fn initial_window(rule: InitialWindow, smss: u32) -> u32 {
    match (rule, smss) {
        (InitialWindow::Rfc6928, _) => (10 * smss).min(14_600.max(2 * smss)),
        (InitialWindow::Rfc5681, ..=1095) => 4 * smss,
        (InitialWindow::Rfc5681, 1096..=2190) => 3 * smss,
        (InitialWindow::Rfc5681, 2191..) => 2 * smss,
    }
}

#[cfg(test)]
mod tests {
    use super::initial_window;
    use crate::config::InitialWindow;

    const SIZES: [u32; 5] = [536, 1095, 1460, 2190, 8960];

    #[test]
    fn rfc_5681_begins_with_two_to_four_segments() {
        assert_eq!(
            SIZES.map(|smss| initial_window(InitialWindow::Rfc5681, smss)),
            [2144, 4380, 4380, 6570, 17_920],
            "R5681-01"
        );
    }

    #[test]
    fn rfc_6928_begins_with_ten_segments_or_14600_octets() {
        assert_eq!(
            SIZES.map(|smss| initial_window(InitialWindow::Rfc6928, smss)),
            [5360, 10_950, 14_600, 14_600, 17_920]
        );
    }
}
