//! A client that elects a leader by a cell with a version, as published ones do by an object of an API server: with its own loop
//! and timers on tokio. It is honest, or wrong in one place.

#![expect(clippy::disallowed_methods, reason = "a client of its own sleeps on tokio")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fencepost_sim::lease::{Candidacy, LeaseClient, LeasePlace, LeaseStore};
use tokio::time::{Instant, timeout_at};

/// Cells by key.
#[derive(Default)]
pub struct Cells(Mutex<BTreeMap<String, Cell>>);

/// A version, which every write raises, and who holds it: nobody, if it is empty.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Cell {
    pub version: u64,
    pub holder: String,
}

#[derive(Debug, Clone)]
pub enum CellRequest {
    Read { key: String },
    Write { key: String, holder: String, if_version: Option<u64> },
}

#[derive(Debug, Clone)]
pub enum CellAnswer {
    Now(Cell),
    Conflict,
}

impl Cells {
    pub fn open(_: LeasePlace) -> Self {
        Self::default()
    }
}

impl LeaseStore for Cells {
    type Request = CellRequest;
    type Answer = CellAnswer;

    fn answer(&self, request: &CellRequest) -> CellAnswer {
        let mut cells = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match request {
            CellRequest::Read { key } => CellAnswer::Now(cells.entry(key.clone()).or_default().clone()),
            CellRequest::Write { key, holder, if_version } => {
                let cell = cells.entry(key.clone()).or_default();
                if if_version.is_some_and(|version| version != cell.version) {
                    return CellAnswer::Conflict;
                }
                *cell = Cell { version: cell.version + 1, holder: holder.clone() };
                CellAnswer::Now(cell.clone())
            }
        }
    }

    fn tell_request(request: &CellRequest) -> String {
        format!("{request:?}")
    }

    fn tell_answer(answer: &CellAnswer) -> String {
        format!("{answer:?}")
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CellFlaw {
    None,
    /// The deadline of a term is counted from the answer, and not from the request.
    CountsFromTheAnswer,
    /// It takes the key without a condition.
    TakesUnconditionally,
    /// While a request goes on it believes what it believed before.
    HoldsOnWhileItAsks,
    /// It panics when it loses.
    Panics,
}

pub struct ToyClient(pub CellFlaw);

impl LeaseClient for ToyClient {
    type Store = Cells;

    async fn contend(self: Arc<Self>, candidacy: Candidacy<Cells>) {
        let contest = async {
            loop {
                if let Some((cell, sent)) = self.wait_and_take(&candidacy).await {
                    self.lead(&candidacy, cell, sent).await;
                    candidacy.leadership.ends();
                    if self.0 == CellFlaw::Panics {
                        std::panic::resume_unwind(Box::new("the toy lost".to_owned()));
                    }
                }
            }
        };
        tokio::select! {
            biased;
            () = candidacy.leadership.until_done() => {}
            () = contest => {}
        }
        candidacy.leadership.ends();
        self.give_back(&candidacy).await;
    }
}

impl ToyClient {
    async fn read(candidacy: &Candidacy<Cells>) -> Option<Cell> {
        match candidacy.store.ask(CellRequest::Read { key: candidacy.key.clone() }).await {
            Ok(CellAnswer::Now(cell)) => Some(cell),
            Ok(CellAnswer::Conflict) | Err(_) => None,
        }
    }

    async fn write(candidacy: &Candidacy<Cells>, holder: &str, if_version: Option<u64>) -> Option<Cell> {
        let (key, holder) = (candidacy.key.clone(), holder.to_owned());
        match candidacy.store.ask(CellRequest::Write { key, holder, if_version }).await {
            Ok(CellAnswer::Now(cell)) => Some(cell),
            Ok(CellAnswer::Conflict) | Err(_) => None,
        }
    }

    /// Takes the key once it is free, or was not renewed for a ttl. Returns when it asked for it.
    async fn wait_and_take(&self, candidacy: &Candidacy<Cells>) -> Option<(Cell, Instant)> {
        let mut seen: Option<(Cell, Instant)> = None;
        loop {
            let cell = Self::read(candidacy).await?;
            let now = Instant::now();
            if seen.as_ref().is_none_or(|(last, _)| *last != cell) {
                seen = Some((cell.clone(), now));
            }
            let since = seen.as_ref().map_or(now, |(_, since)| *since);
            if cell.holder.is_empty() || now - since > candidacy.ttl {
                let if_version = (self.0 != CellFlaw::TakesUnconditionally).then_some(cell.version);
                let taken = Self::write(candidacy, &candidacy.owner, if_version).await?;
                let sent = if self.0 == CellFlaw::CountsFromTheAnswer { Instant::now() } else { now };
                return Some((taken, sent));
            }
            tokio::time::sleep(candidacy.renew).await;
        }
    }

    /// Leads until a term's end that was counted from the last write that succeeded.
    async fn lead(&self, candidacy: &Candidacy<Cells>, mut cell: Cell, mut sent: Instant) {
        loop {
            let deadline = sent + candidacy.ttl;
            if deadline <= Instant::now() {
                return;
            }
            candidacy.leadership.begins();
            tokio::time::sleep(candidacy.renew).await;
            let asked = Instant::now();
            let write = Self::write(candidacy, &candidacy.owner, Some(cell.version));
            let far =
                if self.0 == CellFlaw::HoldsOnWhileItAsks { Duration::from_secs(60) } else { Duration::ZERO };
            match timeout_at(deadline + far, write).await {
                Ok(Some(renewed)) => {
                    cell = renewed;
                    sent = if self.0 == CellFlaw::CountsFromTheAnswer { Instant::now() } else { asked };
                }
                Ok(None) | Err(_) => return,
            }
        }
    }

    async fn give_back(&self, candidacy: &Candidacy<Cells>) {
        if let Some(cell) = Self::read(candidacy).await
            && cell.holder == candidacy.owner
        {
            Self::write(candidacy, "", Some(cell.version)).await;
        }
    }
}
