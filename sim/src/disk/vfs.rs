//! SQLite's way to the simulated disk: a virtual file system, as SQLite's interface for one demands. The file's methods find
//! this thread's [`Disk`](crate::disk::Disk) and the name they were opened with; nothing else is kept in C's memory. Locks and
//! the shared memory of the write-ahead log are here, since they live as long as processes, not as disks.
//!
//! This file alone may say `unsafe`: the interface is made of raw pointers that SQLite owns. What each function relies on is
//! what SQLite promises: a file is opened once before and closed once after everything else that is done to it, on
//! one thread, and its buffers are as long as it says.
#![allow(unsafe_code, reason = "SQLite's interface for file systems is raw pointers")]

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::rc::Rc;
use std::sync::Once;

use rusqlite::ffi;

use crate::disk::current;
use crate::disk::machine_disk::Disk;
use crate::disk::trouble::DiskError;

/// An open file, as SQLite holds it.
#[repr(C)]
struct OpenFile {
    /// First: SQLite looks for the methods here.
    base: ffi::sqlite3_file,
    name: String,
    /// The disk's generation when it was opened; the opener of an older one is dead.
    generation: u64,
    locks: Rc<Locks>,
    level: c_int,
    is_deleted_at_close: bool,
}

/// State that the openers of one file share, as long as one of them lives.
#[derive(Default)]
struct Locks {
    shared: Cell<u32>,
    reserved: Cell<bool>,
    pending: Cell<bool>,
    exclusive: Cell<bool>,
    regions: RefCell<Vec<Box<[Cell<u64>]>>>,
    /// Sharers of each slot of the log's index, or -1 for one exclusive holder.
    slots: RefCell<[i32; 8]>,
}

thread_local! {
    /// By generation and name.
    static LOCKS: RefCell<BTreeMap<(u64, String), Rc<Locks>>> = const { RefCell::new(BTreeMap::new()) };
    static UNNAMED: Cell<u64> = const { Cell::new(0) };
}

/// The name that SQLite knows the disk by.
pub const VFS: &str = "fencepost-disk";

/// Makes the disk known to SQLite; once is enough.
pub fn register() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // Threads that search would meet at the lock of its statistics, at every allocation.
        // SAFETY: a plain setting without arguments beyond its own; after SQLite has started it is refused.
        unsafe { ffi::sqlite3_config(ffi::SQLITE_CONFIG_MEMSTATUS, 0) };
        let vfs = Box::new(ffi::sqlite3_vfs {
            iVersion: 2,
            szOsFile: size_of::<OpenFile>() as c_int,
            mxPathname: 512,
            pNext: std::ptr::null_mut(),
            zName: c"fencepost-disk".as_ptr(),
            pAppData: std::ptr::null_mut(),
            xOpen: Some(open),
            xDelete: Some(delete),
            xAccess: Some(access),
            xFullPathname: Some(full_pathname),
            xDlOpen: None,
            xDlError: None,
            xDlSym: None,
            xDlClose: None,
            xRandomness: Some(randomness),
            xSleep: Some(sleep),
            xCurrentTime: Some(current_time),
            xGetLastError: None,
            xCurrentTimeInt64: Some(current_time_ms),
            xSetSystemCall: None,
            xGetSystemCall: None,
            xNextSystemCall: None,
        });
        // SAFETY: SQLite keeps the pointer for ever, and it is never freed.
        unsafe { ffi::sqlite3_vfs_register(Box::into_raw(vfs), 0) };
    });
}

static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};

/// # Safety
/// `file` is one that `open` filled in and `close` has not emptied.
unsafe fn opened<'a>(file: *mut ffi::sqlite3_file) -> &'a mut OpenFile {
    // SAFETY: by the above; `OpenFile` begins with what SQLite knows of it.
    unsafe { &mut *file.cast::<OpenFile>() }
}

/// The disk's answer to a file whose opener is alive.
fn on_disk<T>(
    file: &OpenFile,
    act: impl FnOnce(&mut Disk, &str) -> Result<T, DiskError>,
) -> Result<T, DiskError> {
    let answer = current::with(|disk| {
        if disk.generation() != file.generation {
            return Err(DiskError::Dead);
        }
        act(disk, &file.name)
    });
    answer.unwrap_or(Err(DiskError::Dead))
}

fn code(answer: Result<(), DiskError>, failed: c_int) -> c_int {
    match answer {
        Ok(()) => ffi::SQLITE_OK,
        Err(DiskError::Full) => ffi::SQLITE_FULL,
        Err(DiskError::Failed | DiskError::Dead) => failed,
    }
}

unsafe extern "C" fn open(
    _: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    // SAFETY: SQLite hands room for an `OpenFile`, a terminated name or none, and a place for flags or none.
    unsafe {
        (*file).pMethods = std::ptr::null();
        let name = if name.is_null() {
            UNNAMED.with(|unnamed| {
                unnamed.set(unnamed.get() + 1);
                format!("unnamed-{}", unnamed.get())
            })
        } else {
            CStr::from_ptr(name).to_string_lossy().into_owned()
        };
        let may_make = flags & ffi::SQLITE_OPEN_CREATE != 0;
        let opened = current::with(|disk| {
            if !may_make && !disk.exists(&name) {
                return Err(DiskError::Failed);
            }
            // As SQLite's own file system: a new journal or log makes the folder durable with its first sync.
            let syncs_folder = flags & (ffi::SQLITE_OPEN_MAIN_JOURNAL | ffi::SQLITE_OPEN_WAL) != 0;
            disk.open(&name, syncs_folder).map(|()| disk.generation())
        });
        let generation = match opened.unwrap_or(Err(DiskError::Dead)) {
            Ok(generation) => generation,
            Err(why) => return code(Err(why), ffi::SQLITE_CANTOPEN),
        };
        let locks = LOCKS.with(|locks| {
            let mut locks = locks.borrow_mut();
            // Those of the dead are theirs alone.
            locks.retain(|(of, _), held| *of == generation && Rc::strong_count(held) > 1);
            Rc::clone(locks.entry((generation, name.clone())).or_default())
        });
        let is_deleted_at_close = flags & ffi::SQLITE_OPEN_DELETEONCLOSE != 0;
        let base = ffi::sqlite3_file { pMethods: &METHODS };
        let made = OpenFile { base, name, generation, locks, level: 0, is_deleted_at_close };
        std::ptr::write(file.cast::<OpenFile>(), made);
        if !out_flags.is_null() {
            *out_flags = flags;
        }
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    // SAFETY: SQLite closes an open file once, and does not touch it again.
    unsafe {
        unlock(file, ffi::SQLITE_LOCK_NONE);
        let closed = std::ptr::read(file.cast::<OpenFile>());
        (*file).pMethods = std::ptr::null();
        if closed.is_deleted_at_close {
            // Nobody needs the file of a statement that is over.
            let _ = on_disk(&closed, |disk, name| disk.delete(name, false));
        }
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn read(
    file: *mut ffi::sqlite3_file,
    into: *mut c_void,
    length: c_int,
    at: ffi::sqlite3_int64,
) -> c_int {
    // SAFETY: the file is open and the buffer is as long as said.
    let (file, into) = unsafe {
        (opened(file), std::slice::from_raw_parts_mut(into.cast::<u8>(), length.unsigned_abs() as usize))
    };
    match on_disk(file, |disk, name| disk.read(name, at.unsigned_abs(), into)) {
        Ok(there) if there == into.len() => ffi::SQLITE_OK,
        Ok(there) => {
            into[there..].fill(0);
            ffi::SQLITE_IOERR_SHORT_READ
        }
        Err(_) => ffi::SQLITE_IOERR_READ,
    }
}

unsafe extern "C" fn write(
    file: *mut ffi::sqlite3_file,
    bytes: *const c_void,
    length: c_int,
    at: ffi::sqlite3_int64,
) -> c_int {
    // SAFETY: the file is open and the buffer is as long as said.
    let (file, bytes) = unsafe {
        (opened(file), std::slice::from_raw_parts(bytes.cast::<u8>(), length.unsigned_abs() as usize))
    };
    code(on_disk(file, |disk, name| disk.write(name, at.unsigned_abs(), bytes)), ffi::SQLITE_IOERR_WRITE)
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, to: ffi::sqlite3_int64) -> c_int {
    // SAFETY: the file is open.
    let file = unsafe { opened(file) };
    code(on_disk(file, |disk, name| disk.truncate(name, to.unsigned_abs())), ffi::SQLITE_IOERR_TRUNCATE)
}

unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, _: c_int) -> c_int {
    // SAFETY: the file is open.
    let file = unsafe { opened(file) };
    code(on_disk(file, Disk::sync), ffi::SQLITE_IOERR_FSYNC)
}

unsafe extern "C" fn file_size(file: *mut ffi::sqlite3_file, size: *mut ffi::sqlite3_int64) -> c_int {
    // SAFETY: the file is open and there is a place for its size.
    let (file, size) = unsafe { (opened(file), &mut *size) };
    match on_disk(file, |disk, name| Ok(disk.size(name))) {
        Ok(bytes) => {
            *size = bytes.cast_signed();
            ffi::SQLITE_OK
        }
        Err(_) => ffi::SQLITE_IOERR_FSTAT,
    }
}

unsafe extern "C" fn lock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    // SAFETY: the file is open.
    let file = unsafe { opened(file) };
    if level <= file.level {
        return ffi::SQLITE_OK;
    }
    let locks = &file.locks;
    if file.level == ffi::SQLITE_LOCK_NONE {
        if locks.pending.get() || locks.exclusive.get() {
            return ffi::SQLITE_BUSY;
        }
        locks.shared.set(locks.shared.get() + 1);
        file.level = ffi::SQLITE_LOCK_SHARED;
    }
    if level >= ffi::SQLITE_LOCK_RESERVED && file.level < ffi::SQLITE_LOCK_RESERVED {
        if locks.reserved.get() {
            return ffi::SQLITE_BUSY;
        }
        locks.reserved.set(true);
        file.level = ffi::SQLITE_LOCK_RESERVED;
    }
    if level == ffi::SQLITE_LOCK_EXCLUSIVE {
        locks.pending.set(true);
        file.level = ffi::SQLITE_LOCK_PENDING;
        if locks.shared.get() > 1 {
            return ffi::SQLITE_BUSY;
        }
        locks.exclusive.set(true);
        file.level = ffi::SQLITE_LOCK_EXCLUSIVE;
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn unlock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    // SAFETY: the file is open.
    let file = unsafe { opened(file) };
    let locks = &file.locks;
    if level < file.level {
        if file.level >= ffi::SQLITE_LOCK_RESERVED {
            locks.reserved.set(false);
            locks.pending.set(false);
            locks.exclusive.set(false);
        }
        if level == ffi::SQLITE_LOCK_NONE {
            locks.shared.set(locks.shared.get().saturating_sub(1));
        }
        file.level = level;
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn check_reserved_lock(file: *mut ffi::sqlite3_file, is_held: *mut c_int) -> c_int {
    // SAFETY: the file is open and there is a place for the answer.
    unsafe { *is_held = c_int::from(opened(file).locks.reserved.get()) };
    ffi::SQLITE_OK
}

unsafe extern "C" fn file_control(_: *mut ffi::sqlite3_file, _: c_int, _: *mut c_void) -> c_int {
    ffi::SQLITE_NOTFOUND
}

unsafe extern "C" fn sector_size(_: *mut ffi::sqlite3_file) -> c_int {
    512
}

/// As SQLite's own file system says of the disks it runs on: a torn write damages nothing beside it.
unsafe extern "C" fn device_characteristics(_: *mut ffi::sqlite3_file) -> c_int {
    ffi::SQLITE_IOCAP_POWERSAFE_OVERWRITE
}

unsafe extern "C" fn shm_map(
    file: *mut ffi::sqlite3_file,
    region: c_int,
    size: c_int,
    may_extend: c_int,
    at: *mut *mut c_void,
) -> c_int {
    // SAFETY: the file is open and there is a place for the pointer.
    let (file, at) = unsafe { (opened(file), &mut *at) };
    let mut regions = file.locks.regions.borrow_mut();
    let wanted = region.unsigned_abs() as usize;
    if regions.len() <= wanted && may_extend == 0 {
        *at = std::ptr::null_mut();
        return ffi::SQLITE_OK;
    }
    while regions.len() <= wanted {
        let words = (size.unsigned_abs() as usize).div_ceil(8);
        regions.push((0..words).map(|_| Cell::new(0)).collect());
    }
    // Boxed, so it stays where it is while the list grows, and shared with C, so it is made of cells.
    *at = regions[wanted].as_ptr().cast_mut().cast::<c_void>();
    ffi::SQLITE_OK
}

unsafe extern "C" fn shm_lock(
    file: *mut ffi::sqlite3_file,
    first: c_int,
    count: c_int,
    flags: c_int,
) -> c_int {
    /// The slot of the connection that copies the log into the file.
    const CHECKPOINTER: usize = 1;
    // SAFETY: the file is open.
    let file = unsafe { opened(file) };
    let alive = current::with(|disk| (disk.generation() == file.generation, disk.opens_without_sync));
    let (is_alive, leaves_log) = alive.unwrap_or((false, false));
    let mut slots = file.locks.slots.borrow_mut();
    let first = first.unsigned_abs() as usize;
    let Some(asked) = slots.get_mut(first..first + count.unsigned_abs() as usize) else {
        return ffi::SQLITE_IOERR_SHMLOCK;
    };
    if flags & ffi::SQLITE_SHM_UNLOCK != 0 {
        let is_exclusive = flags & ffi::SQLITE_SHM_EXCLUSIVE != 0;
        asked.iter_mut().for_each(|slot| *slot = if is_exclusive { 0 } else { (*slot - 1).max(0) });
        return ffi::SQLITE_OK;
    }
    if !is_alive {
        return ffi::SQLITE_IOERR_SHMLOCK;
    }
    if leaves_log && first == CHECKPOINTER && count == 1 {
        return ffi::SQLITE_BUSY;
    }
    if flags & ffi::SQLITE_SHM_EXCLUSIVE != 0 {
        if asked.iter().any(|slot| *slot != 0) {
            return ffi::SQLITE_BUSY;
        }
        asked.fill(-1);
    } else {
        if asked.iter().any(|slot| *slot < 0) {
            return ffi::SQLITE_BUSY;
        }
        asked.iter_mut().for_each(|slot| *slot += 1);
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn shm_barrier(_: *mut ffi::sqlite3_file) {}

/// The memory goes with the last opener: until then a dead one may still look at it.
unsafe extern "C" fn shm_unmap(_: *mut ffi::sqlite3_file, _: c_int) -> c_int {
    ffi::SQLITE_OK
}

unsafe extern "C" fn delete(_: *mut ffi::sqlite3_vfs, name: *const c_char, is_synced: c_int) -> c_int {
    // SAFETY: a terminated name.
    let name = unsafe { CStr::from_ptr(name) }.to_string_lossy();
    let deleted = current::with(|disk| {
        if !disk.exists(&name) {
            return Ok(false);
        }
        disk.delete(&name, is_synced != 0).map(|()| true)
    });
    match deleted.unwrap_or(Err(DiskError::Dead)) {
        Ok(true) => ffi::SQLITE_OK,
        Ok(false) => ffi::SQLITE_IOERR_DELETE_NOENT,
        Err(_) => ffi::SQLITE_IOERR_DELETE,
    }
}

unsafe extern "C" fn access(
    _: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    flags: c_int,
    is_so: *mut c_int,
) -> c_int {
    // SAFETY: a terminated name, and a place for the answer.
    unsafe {
        let name = CStr::from_ptr(name).to_string_lossy();
        // As a log that was emptied is no log, so is a journal.
        let exists = current::with(|disk| {
            disk.exists(&name) && (flags != ffi::SQLITE_ACCESS_EXISTS || disk.size(&name) > 0)
        });
        *is_so = c_int::from(exists.unwrap_or(false));
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn full_pathname(
    _: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    room: c_int,
    full: *mut c_char,
) -> c_int {
    // SAFETY: a terminated name, and room for as many bytes as said.
    unsafe {
        let bytes = CStr::from_ptr(name).to_bytes_with_nul();
        if bytes.len() > room.unsigned_abs() as usize {
            return ffi::SQLITE_CANTOPEN;
        }
        std::ptr::copy_nonoverlapping(bytes.as_ptr().cast::<c_char>(), full, bytes.len());
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn randomness(_: *mut ffi::sqlite3_vfs, length: c_int, bytes: *mut c_char) -> c_int {
    // SAFETY: room for as many bytes as said.
    unsafe { std::ptr::write_bytes(bytes, 0x5a, length.unsigned_abs() as usize) };
    length
}

/// Nobody else can let go of a lock while this waits.
unsafe extern "C" fn sleep(_: *mut ffi::sqlite3_vfs, us: c_int) -> c_int {
    us
}

unsafe extern "C" fn current_time(_: *mut ffi::sqlite3_vfs, days: *mut f64) -> c_int {
    // SAFETY: a place for the answer. No statement of a store asks for the time.
    unsafe { *days = 2_460_000.5 };
    ffi::SQLITE_OK
}

unsafe extern "C" fn current_time_ms(_: *mut ffi::sqlite3_vfs, ms: *mut ffi::sqlite3_int64) -> c_int {
    // SAFETY: a place for the answer.
    unsafe { *ms = 212_544_043_200_000 };
    ffi::SQLITE_OK
}
