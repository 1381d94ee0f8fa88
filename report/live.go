package report

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/byol-go/byol/run"
)

// Times of the live page.
const (
	pageEvery   = 2 * time.Second  // between drawings of the page
	pageRarely  = 10 * time.Second // the same where drawing takes long
	pageShare   = 500              // drawing takes at most one part of so many of the time, up to pageRarely
	lookEvery   = time.Second      // between looks at the folder, while a browser waits
	holdAtMost  = 20 * time.Second // a browser waits before it is told that nothing is new
	writeAtMost = 10 * time.Second // a browser may take to read an answer
	lastWords   = 2 * time.Second  // to tell the browsers that the training has ended
)

// Live serves the page of a run that is being trained, updating by itself. It works only
// when a browser asks, in goroutines of its own, from the folder's files alone: training
// knows nothing of it.
type Live struct {
	server   *http.Server
	listener net.Listener
	ended    chan struct{} // closed when the training has ended
	served   chan struct{} // closed when the server has

	mu      sync.Mutex
	record  *record
	config  os.FileInfo // that was read last
	stale   bool        // something came since the parts were drawn
	drawing time.Duration
	version int
	parts   map[string]livePart
}

// livePart is a piece of the page and the version with which it came.
type livePart struct {
	html    string
	version int
}

// Watch serves the run's page at addr, HOST:PORT or a port. The host must be this
// machine's loopback: the page is for its user alone. Close ends it.
func Watch(addr string, folder run.Folder) (*Live, error) {
	addr, err := loopback(addr)
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, watchError{fmt.Errorf("watch: %w", err), "choose another port, or 0 for any that is free"}
	}
	w := &Live{
		listener: l, ended: make(chan struct{}), served: make(chan struct{}), parts: map[string]livePart{},
		record: &record{folder: folder, name: nameOf(folder), class: "s0"},
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", w.page)
	mux.HandleFunc("GET /update", w.update)
	w.server = &http.Server{Handler: local(mux), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 5 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 1 << 16}
	go func() {
		defer close(w.served)
		w.server.Serve(l) // returns when Close shuts it down
	}()
	return w, nil
}

// URL is the page's address.
func (w *Live) URL() string { return "http://" + w.listener.Addr().String() + "/" }

// Close tells the browsers that the training has ended, with its last values, and ends
// the server.
func (w *Live) Close() error {
	close(w.ended)
	ctx, cancel := context.WithTimeout(context.Background(), lastWords)
	defer cancel()
	err := w.server.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) { // a slow browser does not hold up the training's end
		err = w.server.Close()
	}
	<-w.served
	return err
}

// watchError is an address that cannot be served.
type watchError struct {
	error
	hint string
}

func (e watchError) Unwrap() error { return e.error }

// Hint says what to do.
func (e watchError) Hint() string { return e.hint }

// loopback completes an address and refuses those that others can reach.
func loopback(addr string) (string, error) {
	if _, err := strconv.ParseUint(addr, 10, 16); err == nil {
		addr = "127.0.0.1:" + addr
	}
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return "", watchError{fmt.Errorf("watch %q: %w", addr, err), "write it as 127.0.0.1:8080"}
	}
	if ip := net.ParseIP(host); host == "localhost" || ip != nil && ip.IsLoopback() {
		return addr, nil
	}
	return "", watchError{fmt.Errorf("watch %q: the page is served to this machine only", addr),
		"use 127.0.0.1:8080; from another machine: ssh -L 8080:127.0.0.1:8080 HOST"}
}

// local refuses requests that name another host, as a page of another site that had its
// name point here would, and forbids the page to load anything.
func local(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if h, _, err := net.SplitHostPort(host); err == nil {
			host = h
		}
		if ip := net.ParseIP(strings.Trim(host, "[]")); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			http.Error(w, "this page is for this machine only", http.StatusForbidden)
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Referrer-Policy", "no-referrer")
		next.ServeHTTP(w, r)
	})
}

// page serves the page as it is now.
func (w *Live) page(out http.ResponseWriter, _ *http.Request) {
	w.mu.Lock()
	w.refresh()
	p := newPage([]*record{w.record})
	w.mu.Unlock()
	p.Live = true
	p.Title = w.record.name
	var b bytes.Buffer
	if err := p.write(&b); err != nil {
		http.Error(out, err.Error(), http.StatusInternalServerError)
		return
	}
	out.Header().Set("Content-Type", "text/html; charset=utf-8")
	send(out, b.Bytes())
}

// news is the answer to a browser: the parts that are newer than what it has.
type news struct {
	Version int               `json:"version"`
	Final   bool              `json:"final,omitempty"`
	Title   string            `json:"title,omitempty"`
	Parts   map[string]string `json:"parts,omitempty"`
}

// update answers as soon as something is newer than the version that the browser has,
// but lets it wait so long that drawing takes nothing that training would notice.
func (w *Live) update(out http.ResponseWriter, r *http.Request) {
	since, _ := strconv.Atoi(r.URL.Query().Get("since"))
	start := time.Now()
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for {
		final := false
		if since > 0 { // a new page gets its first parts at once
			select {
			case <-look.C:
			case <-w.ended:
				final = true
			case <-r.Context().Done():
				return
			}
		}
		waited := time.Since(start)
		if !final && since > 0 && waited < w.pause() {
			continue
		}
		n := w.since(since)
		if n.Final = final; len(n.Parts) > 0 || final || waited > holdAtMost {
			var text bytes.Buffer
			lines := json.NewEncoder(&text)
			lines.SetEscapeHTML(false)
			if err := lines.Encode(n); err != nil {
				http.Error(out, err.Error(), http.StatusInternalServerError)
				return
			}
			out.Header().Set("Content-Type", "application/json")
			send(out, text.Bytes())
			return
		}
	}
}

// pause is the time between two drawings.
func (w *Live) pause() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return min(pageRarely, max(pageEvery, pageShare*w.drawing))
}

// send writes an answer to a browser that has so much time to take it.
func send(out http.ResponseWriter, text []byte) {
	http.NewResponseController(out).SetWriteDeadline(time.Now().Add(writeAtMost))
	out.Header().Set("Content-Length", strconv.Itoa(len(text)))
	out.Write(text)
}

// since returns the parts newer than a version.
func (w *Live) since(version int) news {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.refresh(); w.stale || w.version == 0 {
		w.render()
	}
	n := news{Version: w.version, Title: fmt.Sprintf("%.0f %% · %s – byol", 100*w.record.progress(), w.record.name), Parts: map[string]string{}}
	if version > w.version { // of an earlier server
		version = 0
	}
	for id, p := range w.parts {
		if p.version > version {
			n.Parts[id] = p.html
		}
	}
	return n
}

// refresh reads what is new in the folder and marks the parts stale if anything is.
func (w *Live) refresh() {
	r := w.record
	if info, err := os.Stat(r.folder.Config()); err == nil && (w.config == nil || !os.SameFile(info, w.config) || info.ModTime() != w.config.ModTime()) {
		if c, err := run.ReadConfig(r.folder.Config()); err == nil { // else it is asked again
			w.config, w.stale = info, true
			r.config, r.resolved, r.views = c, true, nil
		}
	}
	grew, err := r.read(r.folder.Metrics())
	finished, views := r.finished, r.views != nil
	r.look()
	w.stale = w.stale || err == nil && grew || r.finished != finished || (r.views != nil) != views
}

// render draws the parts anew; those that came out as before keep their version.
func (w *Live) render() {
	start := time.Now()
	defer func() { w.drawing = time.Since(start) }()
	p := newPage([]*record{w.record})
	w.version++
	w.stale = false
	for _, id := range []string{"top", "charts", "views", "epochs", "configs"} {
		var b bytes.Buffer
		if err := templates.ExecuteTemplate(&b, id, p); err != nil {
			continue // an execution error shows in the whole page
		}
		if html := b.String(); w.parts[id].html != html || w.parts[id].version == 0 {
			w.parts[id] = livePart{html, w.version}
		}
	}
}
