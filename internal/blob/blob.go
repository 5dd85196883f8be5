// Package blob stores the bytes of uploaded files under random keys. Nothing
// that a user sent ever becomes part of a path.
package blob

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"regexp"
)

// Errors of a Store.
var (
	ErrNotFound = errors.New("blob: no such object")
	ErrBadKey   = errors.New("blob: malformed key")
	ErrTooLarge = errors.New("blob: object is over the store's limit")
	ErrExists   = errors.New("blob: object exists")
)

// Store keeps immutable objects. Safe for concurrent use.
type Store interface {
	// Put stores data under a key of NewKey. The object is there as a whole
	// or not at all, also after a crash.
	Put(ctx context.Context, key string, data []byte) error
	// Get returns the object, or ErrNotFound.
	Get(ctx context.Context, key string) ([]byte, error)
	// Delete removes the object; that there is none is no error.
	Delete(ctx context.Context, key string) error
}

const keyBytes = 16

var keyPattern = regexp.MustCompile(`^[0-9a-f]{32}$`)

// NewKey returns a random key: 128 bits, so that it cannot be guessed.
func NewKey() string {
	var raw [keyBytes]byte
	_, _ = rand.Read(raw[:]) // never fails: crypto/rand ends the program instead
	return hex.EncodeToString(raw[:])
}

// ValidKey reports whether key has the form of NewKey's.
func ValidKey(key string) bool { return keyPattern.MatchString(key) }

// Disk is a Store in a local folder: two levels of folders by the key's
// beginning, so that none grows large.
type Disk struct {
	root     *os.Root
	maxBytes int64
}

// OpenDisk returns the store in folder, which it creates if there is none. An
// object may have maxBytes at most.
func OpenDisk(folder string, maxBytes int64) (*Disk, error) {
	if folder == "" || maxBytes <= 0 {
		return nil, errors.New("blob: want a folder and a size limit")
	}
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return nil, fmt.Errorf("blob: %w", err)
	}
	root, err := os.OpenRoot(folder) // no name leads out of it, not even by a link
	if err != nil {
		return nil, fmt.Errorf("blob: %w", err)
	}
	return &Disk{root: root, maxBytes: maxBytes}, nil
}

// Close releases the folder.
func (d *Disk) Close() error { return d.root.Close() }

func place(key string) (dir, name string, err error) {
	if !ValidKey(key) {
		return "", "", ErrBadKey
	}
	dir = path.Join(key[:2], key[2:4])
	return dir, path.Join(dir, key), nil
}

// Put implements Store.
func (d *Disk) Put(ctx context.Context, key string, data []byte) error {
	dir, name, err := place(key)
	switch {
	case err != nil:
		return err
	case int64(len(data)) > d.maxBytes:
		return ErrTooLarge
	case ctx.Err() != nil:
		return fmt.Errorf("blob: put: %w", ctx.Err())
	}
	if err := d.root.MkdirAll(dir, 0o750); err != nil {
		return fmt.Errorf("blob: put: %w", err)
	}
	if _, err := d.root.Lstat(name); err == nil {
		return ErrExists
	}
	temporary := name + ".part-" + NewKey()[:8]
	if err := d.write(temporary, data); err != nil {
		return errors.Join(fmt.Errorf("blob: put: %w", err), d.remove(temporary))
	}
	if err := d.root.Rename(temporary, name); err != nil {
		return errors.Join(fmt.Errorf("blob: put: %w", err), d.remove(temporary))
	}
	return d.syncFolder(dir)
}

func (d *Disk) write(name string, data []byte) (err error) {
	f, err := d.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o640)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if _, err := f.Write(data); err != nil {
		return err
	}
	return f.Sync()
}

// syncFolder makes the new name as durable as the bytes.
func (d *Disk) syncFolder(dir string) (err error) {
	f, err := d.root.Open(dir)
	if err != nil {
		return fmt.Errorf("blob: put: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return f.Sync()
}

func (d *Disk) remove(name string) error {
	if err := d.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("blob: remove: %w", err)
	}
	return nil
}

// Get implements Store.
func (d *Disk) Get(ctx context.Context, key string) (data []byte, err error) {
	_, name, err := place(key)
	if err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, fmt.Errorf("blob: get: %w", ctx.Err())
	}
	f, err := d.root.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("blob: get: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	data, err = io.ReadAll(io.LimitReader(f, d.maxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("blob: get: %w", err)
	}
	if int64(len(data)) > d.maxBytes {
		return nil, ErrTooLarge
	}
	return data, nil
}

// Delete implements Store.
func (d *Disk) Delete(_ context.Context, key string) error {
	_, name, err := place(key)
	if err != nil {
		return err
	}
	return d.remove(name)
}

// Write stores what write produces under a key of NewKey, without holding it
// in memory: as with Put, as a whole or not at all. It returns the size.
func (d *Disk) Write(ctx context.Context, key string, write func(io.Writer) error) (int64, error) {
	dir, name, err := place(key)
	switch {
	case err != nil:
		return 0, err
	case ctx.Err() != nil:
		return 0, fmt.Errorf("blob: write: %w", ctx.Err())
	}
	if err := d.root.MkdirAll(dir, 0o750); err != nil {
		return 0, fmt.Errorf("blob: write: %w", err)
	}
	if _, err := d.root.Lstat(name); err == nil {
		return 0, ErrExists
	}
	temporary := name + ".part-" + NewKey()[:8]
	size, err := d.stream(temporary, write)
	if err == nil {
		err = d.root.Rename(temporary, name)
	}
	if err != nil {
		return 0, errors.Join(fmt.Errorf("blob: write: %w", err), d.remove(temporary))
	}
	return size, d.syncFolder(dir)
}

func (d *Disk) stream(name string, write func(io.Writer) error) (size int64, err error) {
	f, err := d.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o640)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	limited := &limitedWriter{w: f, left: d.maxBytes}
	if err := write(limited); err != nil {
		return 0, err
	}
	return d.maxBytes - limited.left, f.Sync()
}

// limitedWriter refuses what goes over its limit.
type limitedWriter struct {
	w    io.Writer
	left int64
}

func (l *limitedWriter) Write(p []byte) (int, error) {
	if int64(len(p)) > l.left {
		return 0, ErrTooLarge
	}
	n, err := l.w.Write(p)
	l.left -= int64(n)
	return n, err
}

// Open returns the object for reading from its beginning, or ErrNotFound. The
// caller closes it.
func (d *Disk) Open(key string) (io.ReadCloser, error) {
	_, name, err := place(key)
	if err != nil {
		return nil, err
	}
	f, err := d.root.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("blob: open: %w", err)
	}
	return f, nil
}
