package dataset

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sort"
	"strings"
)

// BadPicture is a picture that could not be read.
type BadPicture struct {
	Index  int    `json:"index"` // in its set
	Path   string `json:"path"`
	Reason string `json:"reason"`
}

// hintError is an error with advice for the user.
type hintError struct {
	error
	hint string
}

func (e *hintError) Unwrap() error { return e.error }

// Hint returns the advice.
func (e *hintError) Hint() string { return e.hint }

func hint(err error, text string) error { return &hintError{err, text} }

// Bad returns the pictures found unreadable so far, by index.
func (s *Set) Bad() []BadPicture {
	s.bad.mu.RLock()
	list := append([]BadPicture(nil), s.bad.order...)
	s.bad.mu.RUnlock()
	sort.Slice(list, func(a, b int) bool { return list[a].Index < list[b].Index })
	return list
}

// OnBad sets a function that is called once for every picture found unreadable,
// from the goroutine that found it, one call at a time.
func (s *Set) OnBad(f func(BadPicture)) {
	s.bad.mu.Lock()
	s.bad.notify = f
	s.bad.mu.Unlock()
}

// CheckBad returns an error when more than MaxBad of the set's pictures were
// found unreadable; it gives the counts and the first of them.
func (s *Set) CheckBad() error {
	s.bad.mu.RLock()
	n := len(s.bad.order)
	s.bad.mu.RUnlock()
	if float64(n) <= s.maxBad*float64(s.Len()) {
		return nil
	}
	var first []string
	for k, b := range s.Bad() {
		if k == 3 {
			first = append(first, "...")
			break
		}
		first = append(first, b.Path+": "+b.Reason)
	}
	return hint(fmt.Errorf("data %s: %d of %d pictures cannot be read, more than the %.3g %% allowed: %s",
		s.Spec, n, s.Len(), 100*s.maxBad, strings.Join(first, "; ")),
		"mend or remove them (doctor names all), or raise data.max_bad")
}

// err returns the recorded error of picture i.
func (l *badList) err(i int) error {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.errs[i]
}

// add records that picture i cannot be read and returns the error to report,
// which names it.
func (l *badList) add(i int, name string, err error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e := l.errs[i]; e != nil {
		return e
	}
	reason := plainPathError(err)
	text := strings.TrimPrefix(reason.Error(), name+": ") // some errors name the file themselves
	if text == reason.Error() {
		reason = fmt.Errorf("%s: %w", name, reason)
	}
	err = reason
	if l.errs == nil {
		l.errs = map[int]error{}
	}
	l.errs[i] = err
	b := BadPicture{Index: i, Path: name, Reason: text}
	l.order = append(l.order, b)
	if l.notify != nil {
		l.notify(b)
	}
	return err
}

// plainPathError drops the operation and the path from a file error, for callers
// that name the path themselves.
func plainPathError(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		switch {
		case errors.Is(p.Err, fs.ErrNotExist):
			return hint(fmt.Errorf("does not exist (%w)", p.Err), "check the path")
		case errors.Is(p.Err, fs.ErrPermission):
			return hint(fmt.Errorf("may not be read (%w)", p.Err), "check the permissions")
		}
		return p.Err
	}
	return err
}

// readFull fills buf as far as the file goes; a short file is no error.
func readFull(r io.Reader, buf []byte) (int, error) {
	n, err := io.ReadFull(r, buf)
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		err = nil
	}
	return n, err
}
