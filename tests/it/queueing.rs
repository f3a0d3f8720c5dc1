//! The scheduler over recorded arrivals, without threads or clocks: what waits how long, by the same plan and admission that serve.

use crate::shop::repository;
use hearken::batch::{BatchLimits, Class, Fate, Pace, Turns, Waiting, Workers, plan};
use std::time::{Duration, Instant};

/// Two workers of 6,000 tokens a second each.
const WORKERS: usize = 2;
const TOKENS_PER_SECOND: f64 = 12_000.0;
const LIMITS: BatchLimits = BatchLimits { rows: 256, tokens: 256 };

struct Arrival {
    at: Duration,
    tokens: usize,
    class: Class,
}

/// What `arrivals.csv` has: microseconds, tokens, class.
fn recorded() -> Vec<Arrival> {
    let text = std::fs::read_to_string(repository("tests/corpus/arrivals.csv")).unwrap();
    let arrival = |line: &str| {
        let mut fields = line.split(',');
        let at = Duration::from_micros(fields.next().unwrap().parse().unwrap());
        let tokens = fields.next().unwrap().parse().unwrap();
        let class = if fields.next().unwrap() == "bulk" { Class::Bulk } else { Class::Interactive };
        Arrival { at, tokens, class }
    };
    text.lines().skip(1).map(arrival).collect()
}

/// Queue times of every message, by class, when time runs `speed` times as fast.
fn simulate(arrivals: &[Arrival], speed: f64) -> [Vec<Duration>; 2] {
    let begin = Instant::now();
    let pace = Pace::new(TOKENS_PER_SECOND);
    let (mut turns, mut queue, mut waits) = (Turns::default(), Vec::<(Waiting, Duration, Class)>::new(), [Vec::new(), Vec::new()]);
    let mut free = [Duration::ZERO; WORKERS];
    let mut next = arrivals.iter().map(|arrival| (arrival.at.div_f64(speed), arrival)).peekable();
    while next.peek().is_some() || !queue.is_empty() {
        // The worker that is free first takes what has arrived by then, or waits for what comes next.
        let worker = (0..WORKERS).min_by_key(|worker| free[*worker]).unwrap();
        if queue.is_empty() {
            free[worker] = free[worker].max(next.peek().unwrap().0);
        }
        let now = free[worker];
        while let Some((at, arrival)) = next.next_if(|(at, _)| *at <= now) {
            let turn = turns.stamp(arrival.class, arrival.tokens);
            queue.push((Waiting { tokens: arrival.tokens, turn, deadline: None }, at, arrival.class));
        }
        let waiting: Vec<Waiting> = queue.iter().map(|(waiting, ..)| *waiting).collect();
        let idle = free.iter().filter(|free| **free <= now).count();
        let fates = plan(&waiting, LIMITS, Workers { idle, all: WORKERS }, &pace, begin + now);
        let mut fate = fates.iter();
        let batch: Vec<_> = queue.extract_if(.., |_| fate.next() == Some(&Fate::Go)).collect();
        turns.served(batch.iter().map(|(waiting, ..)| waiting.turn).max().unwrap());
        let tokens: usize = batch.iter().map(|(waiting, ..)| waiting.tokens).sum();
        for (_, at, class) in batch {
            waits[usize::from(class == Class::Bulk)].push(now.saturating_sub(at));
        }
        free[worker] = now + pace.time(tokens * WORKERS);
    }
    waits
}

fn percentile(times: &mut [Duration], of_hundred: usize) -> Duration {
    times.sort_unstable();
    times[(times.len() - 1) * of_hundred / 100]
}

#[test]
fn queue_times_over_recorded_arrivals() {
    let arrivals = recorded();
    let work = Pace::new(TOKENS_PER_SECOND).time(arrivals.iter().map(|arrival| arrival.tokens).sum());
    let natural = work.div_duration_f64(arrivals.last().unwrap().at);
    for load in [0.5, 0.8, 1.5] {
        let [mut interactive, mut bulk] = simulate(&arrivals, load / natural);
        assert_eq!(interactive.len() + bulk.len(), arrivals.len(), "every message is served once");
        let [p50, p90] = [50, 90].map(|share| percentile(&mut interactive, share));
        let [bulk50, bulk90] = [50, 90].map(|share| percentile(&mut bulk, share));
        println!("load {load}: interactive p50 {p50:?} p90 {p90:?}, bulk p50 {bulk50:?} p90 {bulk90:?}");
        // The trace has a burst of 120 messages at once, a third of a second of work, so the last percentiles are its own.
        let (most50, most90) = match load {
            0.5 => (2, 150),
            0.8 => (20, 400),
            // More than it can do: people wait, and bulk waits longer, but both are served.
            _ => (1500, 3000),
        };
        assert!(p50 <= Duration::from_millis(most50) && p90 <= Duration::from_millis(most90), "{load}: {p50:?} {p90:?}");
        assert!(bulk50 > p50 && bulk90 > p90, "{load}: {p50:?} {p90:?}, bulk {bulk50:?} {bulk90:?}");
    }
}
