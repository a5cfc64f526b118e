//! Which seeds of which scenarios a campaign runs, by index, without a list of them.

use timewait::Kind;

use super::arguments::Run;
use super::subject::Subject;
use super::values::Shard;

/// The seeds of a campaign if nobody says how many.
const SEEDS_DEFAULT: u64 = 600;

/// Every so manieth run is done twice, and the trace hashes are compared.
const TWICE_EVERY: u64 = 16;

/// A campaign: a grid of kinds or files and seeds, of which a shard takes one diagonal in `shard.of`.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    subjects: Vec<Subject>,
    /// `None`: files are run once, as they are.
    first_seed: Option<u64>,
    /// Cells of the grid, counted seed by seed, kind by kind.
    cells: u64,
    shard: Shard,
}

/// One run of a campaign.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Job {
    /// `None`: the file's own.
    pub(super) seed: Option<u64>,
    pub(super) subject: Subject,
    pub(super) twice: bool,
}

impl Plan {
    /// The campaign that the arguments ask for, or why they can't be met.
    pub(super) fn new(run: &Run) -> Result<Self, String> {
        let mut subjects = if run.subjects.is_empty() {
            Kind::ALL.iter().copied().map(Subject::Kind).collect()
        } else {
            let opened = run.subjects.iter().map(Subject::open);
            opened.collect::<Result<Vec<_>, _>>()?
        };
        subjects.sort();
        subjects.dedup();
        let width = subjects.len() as u64;
        let files = subjects.iter().filter(|subject| subject.is_file()).count() as u64;
        let seeded = run.seeds.is_some() || run.seed_range.is_some() || run.time.is_some();
        if files > 0 && files < width {
            return Err(
                "kinds of scenario and files don't mix: run one after the other".to_owned(),
            );
        }
        let listed = subjects.iter().find(|subject| !subject.has_dice());
        if let Some(listed) = listed.filter(|_| seeded) {
            return Err(format!(
                "{listed} lists its faults, so it has no dice for seeds"
            ));
        }
        // With a time limit and no number, only the time counts.
        let seeds = if run.time.is_some() {
            u64::MAX
        } else {
            SEEDS_DEFAULT
        };
        let (first_seed, cells) = match run.seed_range {
            _ if files > 0 && !seeded => (None, width),
            Some(range) => (
                Some(range.start),
                (range.end - range.start).saturating_mul(width),
            ),
            None => (Some(0), run.seeds.unwrap_or(seeds)),
        };
        Ok(Self {
            subjects,
            first_seed,
            cells,
            shard: run.shard.unwrap_or(Shard { index: 0, of: 1 }),
        })
    }

    pub(super) fn subjects(&self) -> &[Subject] {
        &self.subjects
    }

    /// One past the last index that [`Plan::job`] may answer.
    pub(super) fn indices(&self) -> u64 {
        let (width, rows) = (self.width(), self.cells.div_ceil(self.width()));
        rows.div_ceil(self.shard.of).saturating_mul(width)
    }

    /// How many jobs there are, about.
    pub(super) fn jobs(&self) -> u64 {
        self.cells.div_ceil(self.shard.of)
    }

    /// The run at `index`; `None`: this one is not in the grid.
    pub(super) fn job(&self, index: u64) -> Option<Job> {
        let width = self.width();
        let (block, column) = (index / width, index % width);
        // Of `shard.of` rows each column gives one, the next column that of the row before.
        let of = self.shard.of;
        let row = block.checked_mul(of)? + (self.shard.index + of - column % of) % of;
        let cell = row.checked_mul(width)?.checked_add(column)?;
        let subject = self.subjects.get(usize::try_from(column).ok()?)?;
        let seed = match self.first_seed {
            Some(first) => Some(first.checked_add(row)?),
            None => None,
        };
        (cell < self.cells).then(|| Job {
            seed,
            subject: subject.clone(),
            // Along the diagonals, so that each kind has its share whatever their number.
            twice: row.wrapping_add(column) % TWICE_EVERY == 0,
        })
    }

    fn width(&self) -> u64 {
        self.subjects.len() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::{Job, Plan};
    use crate::cli::subject::Subject;
    use crate::cli::values::Shard;
    use timewait::Kind;

    fn plan(kinds: usize, cells: u64, shard: Shard) -> Plan {
        Plan {
            subjects: Kind::ALL[..kinds]
                .iter()
                .copied()
                .map(Subject::Kind)
                .collect(),
            first_seed: Some(100),
            cells,
            shard,
        }
    }

    fn jobs(plan: &Plan) -> Vec<Job> {
        (0..plan.indices())
            .filter_map(|index| plan.job(index))
            .collect()
    }

    #[test]
    fn seeds_are_dealt_out_to_the_kinds_in_turn() {
        let jobs = jobs(&plan(3, 7, Shard { index: 0, of: 1 }));
        let dealt: Vec<_> = jobs
            .iter()
            .map(|job| (job.seed, job.subject.clone()))
            .collect();
        let [a, b, c] =
            [0, 1, 2].map(|nth| move |seed| (Some(seed), Subject::Kind(Kind::ALL[nth])));
        assert_eq!(
            dealt,
            [a(100), b(100), c(100), a(101), b(101), c(101), a(102)]
        );
    }

    #[test]
    fn the_shards_are_the_whole_and_share_nothing() {
        for (kinds, cells, of) in [(1, 10, 3), (3, 7, 2), (5, 100, 5), (4, 3, 7), (11, 600, 11)] {
            let mut parts: Vec<Job> = (0..of)
                .flat_map(|index| jobs(&plan(kinds, cells, Shard { index, of })))
                .collect();
            parts.sort();
            let mut whole = jobs(&plan(kinds, cells, Shard { index: 0, of: 1 }));
            whole.sort();
            assert_eq!(parts, whole, "{kinds} kinds, {cells} cells, {of} shards");
            assert_eq!(whole.len() as u64, cells);
        }
    }

    #[test]
    fn endless_campaigns_do_not_overflow() {
        let plan = plan(11, u64::MAX, Shard { index: 2, of: 3 });
        assert!(plan.job(0).is_some() && plan.job(plan.indices() - 1).is_none_or(|_| true));
    }

    #[test]
    fn every_kind_has_runs_that_are_done_twice() {
        let jobs = jobs(&plan(Kind::ALL.len(), 600, Shard { index: 0, of: 1 }));
        for kind in Kind::ALL {
            assert!(
                jobs.iter()
                    .any(|job| job.twice && job.subject == Subject::Kind(*kind)),
                "{kind}"
            );
        }
    }
}
