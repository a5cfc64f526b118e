//! The integers against the formulas of RFC 9438, computed here in floating point.

use super::{Acked, Control, Cubic, SCALE, cube_root, k};
use crate::time::{Duration, Instant};

const SMSS: u32 = 1000;
const RTT: Duration = Duration::from_millis(100);

fn at(seconds: f64) -> Instant {
    Instant::from_nanos((seconds * 1e9) as u64)
}

/// One round trip's worth of ACKs, one for each segment, evenly spread.
fn round_trip(cubic: &mut Cubic, mut cwnd: u32, start: f64) -> u32 {
    let segments = cwnd / SMSS;
    for n in 0..segments {
        let ack = Acked {
            octets: SMSS,
            flight: cwnd,
            now: at(start + 0.1 * f64::from(n) / f64::from(segments)),
            srtt: Some(RTT),
            smss: SMSS,
            congested: false,
        };
        cwnd = cubic.avoid(cwnd, &ack);
    }
    cwnd
}

#[test]
fn cube_roots_are_exact() {
    for root in [0_u64, 1, 2, 3, 10, 1023, 1024, 1 << 20, (1 << 20) + 12_345] {
        let cube = root.pow(3);
        assert_eq!(cube_root(cube), root);
        if root > 0 {
            assert_eq!(cube_root(cube - 1), root - 1);
        }
    }
}

#[test]
fn k_is_that_of_figure_2() {
    for segments in [1_u32, 3, 30, 300, 3000, 30_000] {
        let expected = (f64::from(segments) / 0.4).cbrt();
        let ours = k(u64::from(segments) * SCALE) as f64 / SCALE as f64;
        assert!(
            (ours - expected).abs() < 0.002,
            "{segments}: {ours} {expected}"
        );
    }
}

#[test]
fn the_curve_is_that_of_figure_1() {
    let cubic = Cubic {
        w_max: 300 * SCALE,
        ..Cubic::default()
    };
    let root = (90.0_f64 / 0.4).cbrt();
    for tenths in 0..200 {
        let t = f64::from(tenths) / 10.0;
        let expected = 0.4 * (t - root).powi(3) + 300.0;
        let ours = cubic.curve((t * SCALE as f64) as u64, k(90 * SCALE)) as f64 / SCALE as f64;
        let close = 0.01 + expected.abs() * 0.001;
        assert!((ours - expected).abs() < close, "{t}: {ours} {expected}");
    }
}

#[test]
fn a_loss_leaves_seven_tenths_and_a_second_one_lowers_the_aim() {
    let mut cubic = Cubic::default();
    assert_eq!(cubic.on_loss(100 * SMSS, 100 * SMSS, SMSS), 70 * SMSS);
    assert_eq!(cubic.w_max, 100 * SCALE);
    // Fast convergence (§4.7): lost before W_max was reached, so others want room.
    assert_eq!(cubic.on_loss(80 * SMSS, 60 * SMSS, SMSS), 42 * SMSS);
    assert_eq!(cubic.w_max, 68 * SCALE);
    assert_eq!(
        cubic.on_loss(2 * SMSS, 2 * SMSS, SMSS),
        2 * SMSS,
        "2 SMSS at least"
    );
}

#[test]
fn it_comes_back_to_w_max_after_k_and_dwells_there() {
    let mut cubic = Cubic::default();
    let mut cwnd = cubic.on_loss(1000 * SMSS, 1000 * SMSS, SMSS);
    let root = (300.0_f64 / 0.4).cbrt();
    let mut t = 0.0;
    while t < root {
        cwnd = round_trip(&mut cubic, cwnd, t);
        t += 0.1;
        let expected = 0.4 * (t - root).powi(3) + 1000.0;
        let ours = f64::from(cwnd) / 1000.0;
        // It aims one round trip ahead and gets there within one.
        assert!(
            (ours - expected).abs() < 0.03 * expected,
            "{t}: {ours} {expected}"
        );
    }
    let dwelling = round_trip(&mut cubic, cwnd, t) - cwnd;
    assert!(dwelling < SMSS, "{dwelling}");
}

#[test]
fn with_a_small_window_it_grows_as_the_aimd_of_section_4_3() {
    let mut cubic = Cubic::default();
    let mut cwnd = cubic.on_loss(10 * SMSS, 10 * SMSS, SMSS);
    let mut expected = 7.0_f64;
    for n in 0..20 {
        for _ in 0..cwnd / SMSS {
            // alpha is 9/17 until cwnd before the loss is reached, then 1.
            let alpha = if expected < 10.0 { 9.0 / 17.0 } else { 1.0 };
            expected += alpha / expected;
        }
        cwnd = round_trip(&mut cubic, cwnd, f64::from(n) * 0.1);
        let ours = f64::from(cwnd) / 1000.0;
        assert!((ours - expected).abs() < 0.3, "{n}: {ours} {expected}");
    }
}

#[test]
fn after_a_timeout_the_curve_begins_flat() {
    let mut cubic = Cubic::default();
    assert_eq!(cubic.on_timeout(100 * SMSS, 100 * SMSS, SMSS), 70 * SMSS);
    round_trip(&mut cubic, 70 * SMSS, 0.0);
    assert_eq!(
        (cubic.w_max, cubic.epoch.map(|epoch| epoch.k)),
        (70 * SCALE, Some(0)),
        "§4.8"
    );
}

#[test]
fn time_in_which_the_window_was_not_used_does_not_count() {
    let mut busy = Cubic::default();
    let mut idle = Cubic::default();
    let cwnd = busy.on_loss(1000 * SMSS, 1000 * SMSS, SMSS);
    idle.on_loss(1000 * SMSS, 1000 * SMSS, SMSS);
    let now = round_trip(&mut busy, cwnd, 0.0);
    assert_eq!(round_trip(&mut idle, cwnd, 0.0), now);
    for n in 1..100 {
        let ack = Acked {
            octets: SMSS,
            flight: 10 * SMSS,
            now: at(f64::from(n)),
            srtt: Some(RTT),
            smss: SMSS,
            congested: false,
        };
        assert_eq!(idle.avoid(now, &ack), now, "§5.8");
    }
    let (busy, idle) = (
        round_trip(&mut busy, now, 0.1),
        round_trip(&mut idle, now, 99.0),
    );
    assert!(busy.abs_diff(idle) < 4 * SMSS, "{busy} {idle}");
}

#[test]
fn larger_segments_make_no_larger_window() {
    let mut cubic = Cubic::default();
    let cwnd = cubic.on_loss(40 * SMSS, 40 * SMSS, SMSS);
    let cwnd = round_trip(&mut cubic, cwnd, 0.0);
    let larger = 2 * SMSS;
    cubic.resize(SMSS as u16, larger as u16);
    let ack = Acked {
        octets: larger,
        flight: cwnd,
        now: at(0.1),
        srtt: Some(RTT),
        smss: larger,
        congested: false,
    };
    assert!(cubic.avoid(cwnd, &ack) - cwnd < larger);
    assert_eq!((cubic.w_max, cubic.cwnd_prior), (20 * SCALE, 20 * SCALE));
}
