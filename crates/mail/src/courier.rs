//! The task that takes letters to the server, and tries again.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::Receiver;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::letter::Letter;
use crate::outbox::Tally;
use crate::smtp::{Carrier, NotSent};

/// How long a letter waits after each failure. Links in letters end after half an hour, and so does this.
pub(crate) const PAUSES: [Duration; 5] = [
    Duration::from_secs(5),
    Duration::from_secs(30),
    Duration::from_secs(120),
    Duration::from_secs(400),
    Duration::from_secs(900),
];
/// Letters that wait for another try; more are not taken out of the queue.
const WAITING: usize = 500;
/// Connections at the same time.
const AT_ONCE: usize = 4;
/// What is there when the process stops gets so long.
const LAST_ROUND: Duration = Duration::from_secs(5);

/// Takes letters to a server until it is told to stop.
pub struct Courier {
    carrier: Arc<Carrier>,
    letters: Receiver<Letter>,
    tally: Arc<Tally>,
    pauses: &'static [Duration],
    waiting: VecDeque<Errand>,
    running: JoinSet<(Errand, Result<(), NotSent>)>,
}

struct Errand {
    letter: Letter,
    tries: usize,
    due: Instant,
}

// === impl Courier ===

impl Courier {
    pub(crate) fn new(
        carrier: Carrier,
        letters: Receiver<Letter>,
        tally: Arc<Tally>,
        pauses: &'static [Duration],
    ) -> Self {
        let (waiting, running) = (VecDeque::new(), JoinSet::new());
        Self { carrier: Arc::new(carrier), letters, tally, pauses, waiting, running }
    }

    /// Runs until `stop`; then tries once more what is there, for some seconds.
    pub async fn run(mut self, stop: impl Future<Output = ()>) {
        let mut stop = pin!(stop);
        loop {
            self.start_due();
            let next = self.waiting.iter().map(|errand| errand.due).min();
            let is_free = self.running.len() < AT_ONCE;
            let pause = async {
                match next.filter(|_| is_free) {
                    Some(due) => tokio::time::sleep_until(due).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = &mut stop => break,
                () = pause => {}
                Some(done) = self.running.join_next() => self.settle(done.ok()),
                letter = self.letters.recv(), if self.waiting.len() < WAITING => match letter {
                    Some(letter) => self.take(letter),
                    None => break,
                },
            }
        }
        self.last_round().await;
    }

    fn take(&mut self, letter: Letter) {
        self.waiting.push_back(Errand { letter, tries: 0, due: Instant::now() });
    }

    fn start_due(&mut self) {
        let now = Instant::now();
        while self.running.len() < AT_ONCE {
            let due = self.waiting.iter().position(|errand| errand.due <= now);
            let Some(errand) = due.and_then(|at| self.waiting.remove(at)) else { return };
            let carrier = Arc::clone(&self.carrier);
            self.running.spawn(async move {
                let sent = carrier.send(&errand.letter).await;
                (errand, sent)
            });
        }
    }

    fn settle(&mut self, done: Option<(Errand, Result<(), NotSent>)>) {
        let Some((errand, sent)) = done else { return self.tally.lose() };
        match (sent, self.pauses.get(errand.tries)) {
            (Ok(()), _) => self.tally.send(),
            (Err(NotSent::ForNow(cause)), Some(pause)) => {
                tracing::warn!(%cause, "a letter waits: it could not be sent now");
                let (due, tries) = (Instant::now() + *pause, errand.tries + 1);
                self.waiting.push_back(Errand { due, tries, ..errand });
            }
            (Err(cause), _) => {
                self.tally.lose();
                tracing::error!(%cause, "a letter is lost: it could not be sent");
            }
        }
    }

    async fn last_round(mut self) {
        self.letters.close();
        while let Ok(letter) = self.letters.try_recv() {
            self.take(letter);
        }
        self.pauses = &[];
        let now = Instant::now();
        for errand in &mut self.waiting {
            errand.due = now;
        }
        let round = async {
            loop {
                self.start_due();
                let Some(done) = self.running.join_next().await else { return };
                self.settle(done.ok());
            }
        };
        let ended = tokio::time::timeout(LAST_ROUND, round).await;
        let left = self.waiting.len() + self.running.len();
        if ended.is_err() && left > 0 {
            tracing::error!(
                left,
                "letters are lost: the process stops and the mail server is slow"
            );
        }
    }
}
