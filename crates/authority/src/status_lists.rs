//! Places in Token Status Lists for the tokens that are issued (draft-ietf-oauth-status-list-21 §6).
//!
//! A list is on disk before its first place is given away, and its name is random: so no place is given away
//! twice, neither after a restart nor from a database that was put back. Giving one away waits for nothing:
//! the next list is made ready while half of the one before is still free.

pub(crate) mod published;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use store::{StatusPlace, Store, StoreError};
use token::id::StatusListId;
use token::random::Random;
use token::time::Timestamp;

use self::published::Published;
use crate::settings::Settings;

/// Places of one list: 16 KiB of statuses, quickly made and quickly fetched.
const ENTRIES: u64 = 1 << 16;
/// With fewer places left than this, the next list is made ready.
const SOON: usize = 1 << 15;
/// How long after a list could not be written before the next try.
const PAUSE: Duration = Duration::from_secs(1);
/// Clocks of checkers differ: a list stays a little longer than its tokens.
const LEEWAY: Duration = Duration::from_mins(5);

/// The lists of this run.
#[derive(Clone)]
pub(crate) struct StatusLists(Arc<Inner>);

struct Inner {
    store: Store,
    random: Arc<dyn Random>,
    /// How long after its issue the last token of a list can be alive.
    token_life: Duration,
    open: Mutex<OpenLists>,
    published: Published,
}

#[derive(Default)]
struct OpenLists {
    current: Option<OpenList>,
    next: Option<OpenList>,
    /// Whether the next one is being written.
    is_preparing: bool,
    not_before: Timestamp,
}

struct OpenList {
    id: StatusListId,
    free: Vec<u16>,
}

// === impl StatusLists ===

impl StatusLists {
    pub(crate) fn new(store: Store, random: Arc<dyn Random>, settings: &Settings) -> Self {
        let token_life = settings.longest_access_token_life() + LEEWAY;
        let (open, published) = (Mutex::default(), Published::default());
        Self(Arc::new(Inner { store, random, token_life, open, published }))
    }

    /// What others fetch.
    pub(crate) fn published(&self) -> &Published {
        &self.0.published
    }

    /// Gives a place away that nobody had before; never waits.
    ///
    /// # Errors
    /// [`StoreError::Overloaded`] when there is none, or its token's record would be lost: a token whose
    /// status cannot be published is better not made. Both need a disk that does not keep up.
    pub(crate) fn take(&self, now: Timestamp) -> Result<StatusPlace, StoreError> {
        if !self.0.store.has_room_for_records() {
            return Err(StoreError::Overloaded);
        }
        let mut open = self.open();
        if open.current.as_ref().is_none_or(|list| list.free.is_empty()) {
            let next = open.next.take();
            if let Some(full) = std::mem::replace(&mut open.current, next) {
                self.close(full.id, now);
            }
        }
        let place = open.current.as_mut().and_then(|list| list.take(&*self.0.random));
        let left = open.current.as_ref().map_or(0, |list| list.free.len());
        if left < SOON && open.next.is_none() && !open.is_preparing && now >= open.not_before {
            open.is_preparing = true;
            let lists = self.clone();
            tokio::spawn(async move { lists.prepare(now).await });
        }
        place.ok_or(StoreError::Overloaded)
    }

    /// Closes the lists of earlier runs, which give no place away any more.
    ///
    /// # Errors
    /// [`StoreError`] when state cannot be written.
    pub(crate) async fn close_earlier(&self, now: Timestamp) -> Result<(), StoreError> {
        self.0.store.close_status_lists(now.plus(self.0.token_life)).await.map(drop)
    }

    /// Writes a list that can be used from then on.
    ///
    /// # Errors
    /// [`StoreError`] when it could not be written.
    pub(crate) async fn make_ready(&self, now: Timestamp) -> Result<(), StoreError> {
        let id = StatusListId::generate(&*self.0.random);
        self.0.store.open_status_list(&id, ENTRIES, now).await?;
        self.open().next = Some(OpenList { id, free: (0..=u16::MAX).collect() });
        Ok(())
    }

    async fn prepare(&self, now: Timestamp) {
        let outcome = self.make_ready(now).await;
        let mut open = self.open();
        open.is_preparing = false;
        if let Err(error) = outcome {
            tracing::error!(%error, "a status list could not be made ready");
            open.not_before = now.plus(PAUSE);
        }
    }

    /// When this is lost, the next start closes the list.
    fn close(&self, list: StatusListId, now: Timestamp) {
        let (store, forget_at) = (self.0.store.clone(), now.plus(self.0.token_life));
        tokio::spawn(async move {
            if let Err(error) = store.close_status_list(&list, forget_at).await {
                tracing::warn!(%error, %list, "a status list could not be closed");
            }
        });
    }

    fn open(&self) -> MutexGuard<'_, OpenLists> {
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl OpenList ===

impl OpenList {
    /// Any of those that are left (§12.5: not in order, so that a place says nothing about its neighbours).
    fn take(&mut self, random: &dyn Random) -> Option<StatusPlace> {
        let mut bytes = [0; 8];
        random.fill(&mut bytes);
        let left = u64::try_from(self.free.len()).ok()?;
        let at = u64::from_be_bytes(bytes).checked_rem(left)?;
        let idx = self.free.swap_remove(usize::try_from(at).ok()?);
        Some(StatusPlace { list: self.id.clone(), idx: idx.into() })
    }
}

#[cfg(test)]
mod tests;
