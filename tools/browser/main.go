// Command browser opens pages in a headless Chromium, at the width of a phone and of a
// desk, light and dark, writes a picture of each and fails on errors in the console,
// requests to anywhere and content wider than the window.
//
//	go run . [-out DIR] [-chromium PATH] FILE.html|URL...
package main

import (
	"context"
	"encoding/base64"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// wait is the time that a page gets to settle; a live one asks for news in it.
const wait = 1500 * time.Millisecond

func main() {
	out := flag.String("out", ".", "folder of the pictures")
	path := flag.String("chromium", "chromium", "the browser")
	flag.Parse()
	if flag.NArg() == 0 {
		flag.Usage()
		os.Exit(2)
	}
	if err := check(*path, *out, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "browser:", err)
		os.Exit(1)
	}
}

// check looks at every page in every way.
func check(path, out string, pages []string) error {
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU)
	browser, stop := chromedp.NewExecAllocator(context.Background(), options...)
	defer stop()
	var errs []error
	for _, p := range pages {
		for _, width := range []int64{390, 1280} {
			for _, scheme := range []string{"light", "dark"} {
				if err := look(browser, p, out, width, scheme); err != nil {
					errs = append(errs, fmt.Errorf("%s, %d pixels, %s: %w", p, width, scheme, err))
				}
			}
		}
	}
	return errors.Join(errs...)
}

// complaints collects what a page does wrong.
type complaints struct {
	sync.Mutex
	list []error
}

func (c *complaints) add(format string, args ...any) {
	c.Lock()
	defer c.Unlock()
	c.list = append(c.list, fmt.Errorf(format, args...))
}

// look opens a page in a tab of its own.
func look(browser context.Context, target, out string, width int64, scheme string) error {
	tab, stop := chromedp.NewContext(browser)
	defer stop()
	tab, cancel := context.WithTimeout(tab, time.Minute)
	defer cancel()
	url, err := address(target)
	if err != nil {
		return err
	}
	var bad complaints
	chromedp.ListenTarget(tab, func(e any) {
		switch e := e.(type) {
		case *runtime.EventExceptionThrown:
			bad.add("exception: %s", e.ExceptionDetails.Error())
		case *runtime.EventConsoleAPICalled:
			if e.Type == runtime.APITypeError {
				bad.add("console: %s", e.Args[0].Value)
			}
		case *log.EventEntryAdded:
			if e.Entry.Level == log.LevelError {
				bad.add("log: %s", e.Entry.Text)
			}
		case *network.EventRequestWillBeSent:
			if u := e.Request.URL; !strings.HasPrefix(u, "data:") && !strings.HasPrefix(u, strings.SplitN(url, "?", 2)[0]) {
				bad.add("asks for %s", u)
			}
		}
	})
	var overflow []string
	var picture string
	err = chromedp.Run(tab,
		network.Enable(), log.Enable(),
		emulation.SetDeviceMetricsOverride(width, 844, 2, width < 500),
		emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}),
		chromedp.Navigate(url),
		chromedp.Sleep(wait),
		chromedp.Evaluate(wider, &overflow),
		chromedp.ActionFunc(func(ctx context.Context) error {
			data, err := page.CaptureScreenshot().WithCaptureBeyondViewport(true).WithFormat(page.CaptureScreenshotFormatPng).Do(ctx)
			picture = base64.StdEncoding.EncodeToString(data)
			return err
		}),
	)
	if err != nil {
		return err
	}
	if len(overflow) > 0 {
		bad.add("wider than the window: %s", strings.Join(overflow, ", "))
	}
	data, err := base64.StdEncoding.DecodeString(picture)
	if err != nil {
		return err
	}
	name := strings.TrimSuffix(filepath.Base(strings.TrimRight(target, "/")), ".html")
	name = fmt.Sprintf("%s-%d-%s.png", strings.ReplaceAll(name, ":", "-"), width, scheme)
	if err := os.WriteFile(filepath.Join(out, name), data, 0o644); err != nil {
		return err
	}
	bad.Lock()
	defer bad.Unlock()
	return errors.Join(bad.list...)
}

// wider lists the elements that make the page wider than the window.
const wider = `(() => {
  const w = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= w) return [];
  return [...document.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > w + 1)
    .slice(0, 5).map(e => e.tagName + "." + e.className + " " + Math.round(e.getBoundingClientRect().right));
})()`

// address is the URL of a page or of a file.
func address(target string) (string, error) {
	if strings.Contains(target, "://") {
		return target, nil
	}
	path, err := filepath.Abs(target)
	if err != nil {
		return "", err
	}
	_, err = os.Stat(path)
	return "file://" + path, err
}
