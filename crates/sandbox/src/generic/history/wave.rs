//! Numbers that go up and down over time as those of machines do, without being kept anywhere.

use std::f64::consts::TAU;

/// A day, in seconds.
const DAY: f64 = 86_400.0;

/// How a number moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Motion {
    /// With the day and within the hour, as load does.
    Swing,
    /// Over months, as what is stored does.
    Drift,
}

/// Waves: how many of them are in a day, and how much each counts. The parts make one together.
const SWINGS: [(f64, f64); 4] = [(1.0, 0.58), (5.3, 0.2), (23.0, 0.08), (1.0 / 7.0, 0.14)];
const DRIFTS: [(f64, f64); 3] = [(1.0 / 400.0, 0.75), (1.0 / 31.0, 0.2), (1.0, 0.05)];

impl Motion {
    /// By what a number is to be multiplied at this second since 1970; different for every seed.
    pub(super) fn at(self, second: i64, seed: u64) -> f64 {
        let (waves, reach): (&[_], f64) = match self {
            Self::Swing => (&SWINGS, 0.45),
            Self::Drift => (&DRIFTS, 0.25),
        };
        #[expect(clippy::cast_precision_loss, reason = "exact for millions of years")]
        let days = second as f64 / DAY;
        let heights = waves.iter().zip(0_u32..).map(|((per_day, part), number)| {
            // Each wave begins somewhere else: sixteen bits of the seed say where.
            let begin = f64::from((seed.rotate_left(16 * number) & 0xffff) as u16) / 65_536.0;
            part * (TAU * (days * per_day + begin)).sin()
        });
        1.0 + reach * heights.sum::<f64>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stay_near_their_middle_and_move_without_leaps() {
        for (motion, reach, leap) in [(Motion::Swing, 0.45, 0.05), (Motion::Drift, 0.25, 0.001)] {
            let values: Vec<f64> = (0..2000)
                .map(|step| motion.at(1_709_294_400 + step * 300, 0x1234_5678_9abc_def0))
                .collect();
            assert!(values.iter().all(|value| (value - 1.0).abs() <= reach));
            let leaps = values.windows(2).map(|pair| (pair[1] - pair[0]).abs());
            let farthest = leaps.fold(0.0, f64::max);
            assert!(farthest > 0.0 && farthest < leap, "{motion:?} {farthest}");
        }
        assert!((Motion::Swing.at(0, 1) - Motion::Swing.at(0, 2)).abs() > 1e-6);
    }
}
