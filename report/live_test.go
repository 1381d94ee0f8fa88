package report

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/byol-go/byol/run"
)

func TestWatchOnLoopbackOnly(t *testing.T) {
	for _, addr := range []string{":8080", "0.0.0.0:0", "[::]:0", "192.0.2.1:80", "example.com:80", "127.0.0.1", "127.0.0.1:x"} {
		w, err := Watch(addr, run.Folder(t.TempDir()))
		if err == nil {
			w.Close()
			t.Errorf("%s is served", addr)
			continue
		}
		var h interface{ Hint() string }
		if !errors.As(err, &h) || h.Hint() == "" {
			t.Errorf("%s: %v: no hint", addr, err)
		}
	}
	for _, addr := range []string{"0", "127.0.0.1:0", "localhost:0"} {
		w, err := Watch(addr, run.Folder(t.TempDir()))
		if err != nil {
			t.Errorf("%s: %v", addr, err)
			continue
		}
		if _, err := Watch(strings.TrimSuffix(strings.TrimPrefix(w.URL(), "http://"), "/"), run.Folder(t.TempDir())); err == nil {
			t.Errorf("%s is served twice", w.URL())
		}
		w.Close()
	}
}

// client asks without keeping connections, which would be goroutines of its own.
var client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

func get(t *testing.T, url string) string {
	t.Helper()
	answer, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v", url, answer.Status, err)
	}
	return string(text)
}

func ask(t *testing.T, url string) news {
	t.Helper()
	var n news
	if err := json.Unmarshal([]byte(get(t, url)), &n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestLivePageFollowsTheRun(t *testing.T) {
	before := runtime.NumGoroutine()
	f := run.Folder(t.TempDir())
	w, err := Watch("127.0.0.1:0", f)
	if err != nil {
		t.Fatal(err)
	}
	has(t, get(t, w.URL()), "No step yet", "data-live", "connect-src 'self'") // before the training has made the run
	first := ask(t, w.URL()+"update?since=0")
	if err := tinyConfig().Save(f.Config()); err != nil {
		t.Fatal(err)
	}
	put(t, f.Metrics(), strings.Join(strings.SplitAfter(tinyMetrics(), "\n")[:30], ""))
	get(t, w.URL()) // another browser must not take the news away
	start := time.Now()
	second := ask(t, w.URL()+"update?since=1")
	if took := time.Since(start); took < pageEvery-100*time.Millisecond || took > pageRarely+3*time.Second {
		t.Errorf("answered after %v", took)
	}
	if first.Version != 1 || second.Version <= 1 || !strings.Contains(second.Parts["charts"], "chart-loss") || !strings.Contains(second.Parts["top"], "step 56 of 100") {
		t.Errorf("version %d, then %d: %q", first.Version, second.Version, second.Parts["top"])
	}
	if _, ok := second.Parts["views"]; ok {
		t.Error("a part that is as it was is sent again")
	}

	request, _ := http.NewRequest("GET", w.URL(), nil)
	request.Host = "elsewhere.example"
	answer, err := client.Do(request)
	if err != nil || answer.StatusCode != http.StatusForbidden {
		t.Errorf("as %s: %v, %v", request.Host, answer.Status, err)
	}
	answer.Body.Close()

	// The training's end: who waits gets the last values.
	last := make(chan news, 1)
	go func() {
		answer, err := client.Get(w.URL() + "update?since=99")
		if err != nil {
			last <- news{}
			return
		}
		defer answer.Body.Close()
		var n news
		json.NewDecoder(answer.Body).Decode(&n)
		last <- n
	}()
	time.Sleep(200 * time.Millisecond)
	file, err := os.OpenFile(f.Metrics(), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	file.WriteString(`{"event":"step","step":99,"loss":0.125}` + "\n")
	file.Close()
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	if n := <-last; !n.Final || !strings.Contains(n.Parts["top"], "step 99 of 100") {
		t.Errorf("at the end: final %v, %q", n.Final, n.Parts["top"])
	}
	for range 50 { // goroutines take a moment to go
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Errorf("%d goroutines, %d before", runtime.NumGoroutine(), before)
}

func TestSlowBrowserDoesNotHoldUpTheEnd(t *testing.T) {
	w, err := Watch("127.0.0.1:0", newRun(t, "run", tinyConfig(), tinyMetrics(), false))
	if err != nil {
		t.Fatal(err)
	}
	for range 3 { // connections that never say or read anything
		c, err := net.Dial("tcp", w.listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		io.WriteString(c, "GET / HT")
	}
	ctx, cancel := context.WithTimeout(context.Background(), lastWords+2*time.Second)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- w.Close() }()
	select {
	case <-done:
	case <-ctx.Done():
		t.Error("closing waits for slow browsers")
	}
}
