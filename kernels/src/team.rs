//! Several cores on one operation. An operation is cut into items; the caller and the team's threads claim items one by one,
//! so a thread that is not there is not waited for, only one that is held up within an item. Not a thread pool for tasks: a team works on one
//! operation at a time, for microseconds, and its threads spin between two operations of one run and sleep between runs.

use std::cell::UnsafeCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long a thread without work spins before it sleeps: longer than the gaps within a run, shorter than those between messages.
const SPIN: Duration = Duration::from_micros(60);

/// Cores that work together.
#[derive(Debug)]
pub struct Team {
    shared: Option<Arc<Shared>>,
    threads: Vec<JoinHandle<()>>,
}

/// Work on two chunks of the same number.
type Paired<'a, T, U> = dyn Fn(usize, &mut [T], &mut [U]) + Sync + 'a;

type Item<'a> = dyn Fn(usize, usize) + Sync + 'a;

/// What the threads look at. `ticket` is the epoch of the operation (high 32 bits), its number of items (16 bits) and the next
/// item to claim (low 16 bits): whoever adds one to it has claimed the item that it held, if there was one. `job` is written
/// only while no item is claimed and not done, and read only by who has claimed one.
struct Shared {
    ticket: AtomicU64,
    done: AtomicU32,
    failed: AtomicBool,
    stop: AtomicBool,
    job: UnsafeCell<Option<*const Item<'static>>>,
    sleeping: Vec<AtomicBool>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("ticket", &self.ticket).finish_non_exhaustive()
    }
}

// SAFETY: `job` is the only part that is not atomic; the protocol above keeps its writes and reads apart, and the closure that it
// points to is `Sync` and outlives its operation, because `Team::run` returns only when every item is done.
unsafe impl Send for Shared {}
// SAFETY: as above.
unsafe impl Sync for Shared {}

const ITEMS: u64 = 0xffff;

impl Shared {
    /// Claims an item: its number, if there is one left.
    fn claim(&self) -> Option<usize> {
        let open = |ticket: u64| (ticket & ITEMS) < (ticket >> 16 & ITEMS);
        if !open(self.ticket.load(Ordering::Relaxed)) {
            return None;
        }
        // Every claimant adds at most once to a used-up ticket, so the low 16 bits cannot overflow into the count:
        // items <= 2^15 and there are far fewer than 2^15 threads.
        let ticket = self.ticket.fetch_add(1, Ordering::AcqRel);
        open(ticket).then_some((ticket & ITEMS) as usize)
    }

    /// Does items as `member` until none is left.
    fn work(&self, member: usize) -> bool {
        let mut any = false;
        while let Some(item) = self.claim() {
            any = true;
            // SAFETY: this thread has claimed an item that is not done, so `job` is not written now, and it was written before the
            // ticket that the claim read.
            let job = unsafe { *self.job.get() };
            if let Some(job) = job {
                // SAFETY: the closure lives until every item is done, and this one is not.
                let call = || unsafe { (*job)(member, item) };
                if catch_unwind(AssertUnwindSafe(call)).is_err() {
                    self.failed.store(true, Ordering::Relaxed);
                }
            }
            self.done.fetch_add(1, Ordering::Release);
        }
        any
    }

    fn live(&self, member: usize) {
        let mut idle = Instant::now();
        let mut spins = 0u32;
        while !self.stop.load(Ordering::Relaxed) {
            if self.work(member) {
                idle = Instant::now();
            }
            spins = spins.wrapping_add(1);
            std::hint::spin_loop();
            if spins.is_multiple_of(64) && idle.elapsed() > SPIN {
                self.sleep(member);
                idle = Instant::now();
            }
        }
    }

    /// Sleeps until work is posted. The flag goes up before the last look at the ticket, and `Team::run` posts before it looks at
    /// the flag, both in one total order: one of the two sees the other.
    fn sleep(&self, member: usize) {
        let Some(flag) = self.sleeping.get(member) else { return };
        flag.store(true, Ordering::SeqCst);
        let ticket = self.ticket.load(Ordering::SeqCst);
        if (ticket & ITEMS) >= (ticket >> 16 & ITEMS) && !self.stop.load(Ordering::SeqCst) {
            std::thread::park();
        }
        flag.store(false, Ordering::SeqCst);
    }
}

impl Team {
    /// The caller alone: operations run on its thread, uncut.
    #[must_use]
    pub const fn alone() -> Self {
        Self { shared: None, threads: Vec::new() }
    }

    /// The caller and `members - 1` threads of the team.
    ///
    /// # Errors
    /// When a thread cannot be started.
    pub fn of(members: usize) -> std::io::Result<Self> {
        /// Far more than any machine has cores; see `Shared::claim`.
        const MOST: usize = 1024;
        let members = members.min(MOST);
        if members < 2 {
            return Ok(Self::alone());
        }
        let shared = Arc::new(Shared {
            ticket: AtomicU64::new(0),
            done: AtomicU32::new(0),
            failed: AtomicBool::new(false),
            stop: AtomicBool::new(false),
            job: UnsafeCell::new(None),
            sleeping: (0..members).map(|_| AtomicBool::new(false)).collect(),
        });
        let mut team = Self { shared: Some(Arc::clone(&shared)), threads: Vec::new() };
        for member in 1..members {
            let shared = Arc::clone(&shared);
            let thread = std::thread::Builder::new().name(format!("hearken-team-{member}"));
            team.threads.push(thread.spawn(move || shared.live(member))?);
        }
        Ok(team)
    }

    /// Members, the caller included.
    #[must_use]
    pub fn members(&self) -> usize {
        self.threads.len() + 1
    }

    /// Calls `item(member, i)` once for each `i` in `0..items`, on any member and in any order, and returns when all are done.
    ///
    /// # Panics
    /// When an item panicked; the others are done.
    pub fn run(&mut self, items: usize, item: &(dyn Fn(usize, usize) + Sync)) {
        /// Most items of one ticket; see `Shared::claim`.
        const MOST: usize = 1 << 15;
        let Some(shared) = self.shared.as_ref().filter(|_| items > 1) else {
            return (0..items).for_each(|i| item(0, i));
        };
        let mut from = 0;
        while from < items {
            let count = (items - from).min(MOST);
            Self::post(shared, &self.threads, count, &|member, i| item(member, from + i));
            from += count;
        }
    }

    /// Cuts `values` into chunks of `size` and calls `work(i, chunk)` once for each, on any member.
    ///
    /// # Panics
    /// As [`Team::run`], or when `size` is zero.
    pub fn chunks<T: Send>(&mut self, values: &mut [T], size: usize, work: &(dyn Fn(usize, &mut [T]) + Sync)) {
        assert!(size > 0, "chunks: no size");
        let (length, values) = (values.len(), crate::memory::Shared(values.as_mut_ptr()));
        self.run(length.div_ceil(size), &|_, i| {
            // SAFETY: the chunks lie in `values`, which is borrowed until `run` returns, and no two items have the same one.
            let chunk = unsafe { values.slice(i * size, size.min(length - i * size)) };
            work(i, chunk);
        });
    }

    /// As [`Team::chunks`] with two slices, which are cut into as many chunks each.
    ///
    /// # Panics
    /// As [`Team::chunks`], or when the numbers of chunks differ.
    pub fn chunks2<T: Send, U: Send>(
        &mut self,
        (first, first_size): (&mut [T], usize),
        (second, second_size): (&mut [U], usize),
        work: &Paired<'_, T, U>,
    ) {
        assert!(second_size > 0 && first.len().div_ceil(first_size.max(1)) == second.len().div_ceil(second_size), "chunks2: they differ");
        let (length, second) = (second.len(), crate::memory::Shared(second.as_mut_ptr()));
        self.chunks(first, first_size, &|i, chunk| {
            // SAFETY: as in `chunks`: there are as many chunks of `second`, and each item has its own.
            let other = unsafe { second.slice(i * second_size, second_size.min(length - i * second_size)) };
            work(i, chunk, other);
        });
    }

    fn post(shared: &Shared, threads: &[JoinHandle<()>], count: usize, item: &Item<'_>) {
        #[expect(clippy::transmute_ptr_to_ptr, reason = "a cast cannot lengthen the lifetime")]
        // SAFETY: only the lifetime changes; `post` returns after the last use, see below.
        let job = unsafe { std::mem::transmute::<*const Item<'_>, *const Item<'static>>(std::ptr::from_ref(item)) };
        // SAFETY: `&mut self` of the callers: no other operation runs, and every item of the last one is done.
        unsafe { *shared.job.get() = Some(job) };
        shared.done.store(0, Ordering::Relaxed);
        let epoch = (shared.ticket.load(Ordering::Relaxed) >> 32).wrapping_add(1);
        shared.ticket.store(epoch << 32 | (count as u64) << 16, Ordering::SeqCst);
        for (sleeping, thread) in shared.sleeping.iter().skip(1).zip(threads) {
            if sleeping.load(Ordering::SeqCst) {
                thread.thread().unpark();
            }
        }
        shared.work(0);
        let mut spins = 0u32;
        while (shared.done.load(Ordering::Acquire) as usize) < count {
            spins += 1;
            if spins.is_multiple_of(4096) {
                std::thread::yield_now(); // whoever holds the last item may be waiting for this very core
            }
            std::hint::spin_loop();
        }
        assert!(!shared.failed.swap(false, Ordering::Relaxed), "a part of a kernel panicked on another thread");
    }
}

impl Drop for Team {
    fn drop(&mut self) {
        if let Some(shared) = &self.shared {
            shared.stop.store(true, Ordering::SeqCst);
        }
        for thread in self.threads.drain(..) {
            thread.thread().unpark();
            // A thread of the team catches the panics of its items, so there is nothing to hear from it.
            drop(thread.join());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;

    #[test]
    fn every_item_is_done_once_and_before_run_returns() {
        let mut team = Team::of(3).unwrap();
        for items in [0, 1, 2, 7, 64, 1000, 70_000] {
            let counts: Vec<AtomicUsize> = (0..items).map(|_| AtomicUsize::new(0)).collect();
            for round in 1..=3 {
                team.run(items, &|member, i| {
                    assert!(member < 3);
                    counts[i].fetch_add(1, Ordering::Relaxed);
                });
                assert!(counts.iter().all(|count| count.load(Ordering::Relaxed) == round), "{items} items");
            }
        }
    }

    /// Every member takes part, also after it has slept: each item waits, for a while, until all have been seen.
    #[test]
    fn every_member_takes_part() {
        let mut team = Team::of(3).unwrap();
        for _ in 0..3 {
            let seen: Vec<AtomicBool> = (0..3).map(|_| AtomicBool::new(false)).collect();
            let end = Instant::now() + Duration::from_secs(20);
            team.run(3, &|member, _| {
                seen[member].store(true, Ordering::SeqCst);
                while !seen.iter().all(|seen| seen.load(Ordering::SeqCst)) && Instant::now() < end {
                    std::thread::yield_now();
                }
            });
            assert!(seen.iter().all(|seen| seen.load(Ordering::SeqCst)), "a member did not take part");
            std::thread::sleep(Duration::from_millis(2)); // longer than it spins
        }
    }

    #[test]
    fn chunks_are_cut_and_paired() {
        let mut team = Team::of(3).unwrap();
        let (mut values, mut counts) = (vec![0usize; 10], vec![0usize; 4]);
        team.chunks2((&mut values, 3), (&mut counts, 1), &|i, chunk, count| {
            chunk.fill(i);
            count[0] = chunk.len();
        });
        assert_eq!(values, [0, 0, 0, 1, 1, 1, 2, 2, 2, 3]);
        assert_eq!(counts, [3, 3, 3, 1]);
    }

    #[test]
    fn a_team_wakes_up_again() {
        let mut team = Team::of(2).unwrap();
        for _ in 0..20 {
            std::thread::sleep(Duration::from_millis(1)); // longer than it spins
            let sum = AtomicUsize::new(0);
            team.run(100, &|_, i| {
                sum.fetch_add(i, Ordering::Relaxed);
            });
            assert_eq!(sum.into_inner(), 4950);
        }
    }

    #[test]
    fn a_panic_reaches_the_caller_and_the_team_lives_on() {
        let mut team = Team::of(2).unwrap();
        let failing = catch_unwind(AssertUnwindSafe(|| team.run(10, &|_, i| assert!(i != 5))));
        assert!(failing.is_err());
        team.run(10, &|_, _| {});
    }
}
