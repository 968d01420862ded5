//! Files that are there whole or not at all, and read whole. What is written goes beside its place first, is made durable
//! and takes its place in one step; a run that is killed in between, or meets a full disk, leaves the old file or none. What
//! it may leave after a kill is a hidden file that ends in `.unfinished`, which nobody reads.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;

/// No file of ours is longer; a device may never end.
const LONGEST: u64 = 1 << 28;

pub fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    let read = File::open(path)?.take(LONGEST + 1).read_to_string(&mut text)?;
    if read as u64 > LONGEST {
        return Err(io::Error::other(format!("it is longer than {} MB", LONGEST >> 20)));
    }
    Ok(text)
}

/// As [`write()`], where nothing is there yet: of two who write at once one is refused.
pub fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if fs::metadata(path).is_ok_and(|there| !there.is_file() && !there.is_dir()) {
        return write(path, bytes);
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    put(path, bytes, |unfinished, path| {
        // Unlike a rename this replaces nothing.
        fs::hard_link(unfinished, path)?;
        fs::remove_file(unfinished)
    })
}

pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    match fs::metadata(path) {
        // A device or a pipe is written into, never replaced.
        Ok(there) if !there.is_file() && !there.is_dir() => {
            return OpenOptions::new().write(true).open(path)?.write_all(bytes);
        }
        // The file that a link leads to is meant, not the link.
        Ok(_) => return put(&fs::canonicalize(path)?, bytes, |from, to| fs::rename(from, to)),
        Err(_) => {}
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    put(path, bytes, |from, to| fs::rename(from, to))
}

fn put(path: &Path, bytes: &[u8], place: impl Fn(&Path, &Path) -> io::Result<()>) -> io::Result<()> {
    let name = path.file_name().ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
    let mut hidden = OsString::from(".");
    hidden.push(name);
    hidden.push(format!(".{}.unfinished", std::process::id()));
    let unfinished = path.with_file_name(hidden);
    let written = File::create(&unfinished).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    let placed = written.and_then(|()| place(&unfinished, path));
    if placed.is_err() {
        // If the unfinished file cannot be removed either, its name is hidden and nobody reads it.
        drop(fs::remove_file(&unfinished));
    }
    placed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_takes_its_place_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/down.txt");
        write(&path, b"one").unwrap();
        write(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(names(&folder.path().join("deep")), ["down.txt"]);
    }

    /// Whoever has the old file open, or runs out of space for the new one, has the old one whole.
    #[test]
    fn an_old_file_is_replaced_and_never_written_into() {
        let folder = tempfile::tempdir().unwrap();
        let (path, old) = (folder.path().join("report.txt"), folder.path().join("old.txt"));
        write(&path, b"one").unwrap();
        fs::hard_link(&path, &old).unwrap();
        write(&path, b"two").unwrap();
        assert_eq!((fs::read(&old).unwrap(), fs::read(&path).unwrap()), (b"one".to_vec(), b"two".to_vec()));
    }

    #[test]
    fn what_is_to_be_new_replaces_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/new.txt");
        write_new(&path, b"one").unwrap();
        let refused = write_new(&path, b"two").unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"one");
        assert_eq!(names(&folder.path().join("deep")), ["new.txt"]);
        write_new(Path::new("/dev/null"), b"one").unwrap();
    }

    #[test]
    fn what_cannot_take_its_place_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let taken = folder.path().join("taken");
        fs::create_dir_all(taken.join("by a folder")).unwrap();
        assert!(write(&taken, b"one").is_err());
        assert!(write(&taken.join("by a folder/x\0y"), b"one").is_err());
        assert_eq!(names(folder.path()), ["taken"]);
        assert_eq!(names(&taken.join("by a folder")), Vec::<String>::new());
    }

    #[test]
    fn a_device_is_written_into_and_stays_one() {
        assert!(write(Path::new("/dev/full"), b"one").is_err());
        write(Path::new("/dev/null"), b"one").unwrap();
        assert!(!fs::metadata("/dev/full").unwrap().is_file());
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
    }
}
