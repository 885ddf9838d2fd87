package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// shell is Chromium as it is made for machines: the same engine without the windows, which cost as much time as the pages.
const shell = "chromium-headless-shell"

// patience is how long one command to the browser may take; where nothing else runs it takes some hundredths of a second.
const patience = 2 * time.Minute

// browse starts a browser with a new, empty profile.
func browse(ctx context.Context) (browser context.Context, stop func(), err error) {
	path, err := exec.LookPath(shell)
	if err != nil {
		return nil, nil, fmt.Errorf("install Chromium first: %w", err)
	}
	options := append(
		chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.Flag("headless", "new"), chromedp.DisableGPU,
		chromedp.Flag("disable-component-update", true), chromedp.Flag("hide-scrollbars", true),
		chromedp.NoSandbox, // as root there is none; it loads these pages only
	)
	ctx, end := chromedp.NewExecAllocator(ctx, options...)
	browser, cancel := chromedp.NewContext(ctx)
	stop = func() { cancel(); end() }
	if err := chromedp.Do(browser); err != nil {
		stop()
		return nil, nil, fmt.Errorf("chromium does not start: %w", err)
	}
	return browser, stop, nil
}

// tab is a tab of the browser.
type tab struct{ ctx context.Context }

// open opens a tab that has these scripts in every page.
func open(browser context.Context, scripts ...string) (*tab, func(), error) {
	ctx, cancel := chromedp.NewContext(browser)
	t := &tab{ctx}
	if err := chromedp.Do(ctx); err != nil {
		cancel()
		return nil, nil, err
	}
	err := call(t, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
	for _, s := range scripts {
		if err == nil {
			err = call(t, cdppage.AddScriptToEvaluateOnNewDocument, cdppage.AddScriptToEvaluateOnNewDocumentParams{Source: s})
		}
	}
	if err != nil {
		cancel()
		return nil, nil, err
	}
	return t, cancel, nil
}

// ask sends a command to the tab, and returns its result.
func ask[P, R any](t *tab, cmd cdp.Command[P, R], params P) (R, error) {
	ctx, cancel := context.WithTimeout(t.ctx, patience)
	defer cancel()
	r, err := chromedp.Call(ctx, cmd, params)
	if err != nil {
		return r, fmt.Errorf("%s: %w", cmd.Method, err)
	}
	return r, nil
}

// call sends a command to the tab.
func call[P, R any](t *tab, cmd cdp.Command[P, R], params P) error {
	_, err := ask(t, cmd, params)
	return err
}

// eval evaluates JavaScript, and waits for what it promises.
func eval[T any](t *tab, expression string) (T, error) {
	ctx, cancel := context.WithTimeout(t.ctx, patience)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		return v, fmt.Errorf("%s: %w", expression, err)
	}
	return v, nil
}

// visit loads a page, with its style sheets.
func (t *tab) visit(url string) error {
	ctx, cancel := context.WithTimeout(t.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, chromedp.Navigate(url)); err != nil {
		return fmt.Errorf("%s: %w", url, err)
	}
	return nil
}

// look is how a page is looked at.
type look struct {
	name          string
	width, height int64
	// zoom is how many pixels of the screen are one of the page.
	zoom float64
	// dark are dark colours, forced those of the reader.
	dark, forced bool
	// moving: the reader has nothing against movement.
	moving bool
}

var (
	wideLight   = look{name: "light, 1000 px", width: 1000, height: 800, zoom: 1}
	wideDark    = look{name: "dark, 1000 px", width: 1000, height: 800, zoom: 1, dark: true}
	zoomedLight = look{name: "light, 1280 px at 200 %", width: 640, height: 400, zoom: 2}
	zoomedDark  = look{name: "dark, 1280 px at 200 %", width: 640, height: 400, zoom: 2, dark: true}
	smallLight  = look{name: "light, 320 px", width: 320, height: 640, zoom: 1}
	smallDark   = look{name: "dark, 320 px", width: 320, height: 640, zoom: 1, dark: true}
	phone       = look{name: "light, 360 px", width: 360, height: 740, zoom: 1}
	forced      = look{name: "forced colours, 1000 px", width: 1000, height: 800, zoom: 1, forced: true}
)

// as has the page looked at in that way. Colours are there at once, for the reader is one who wants nothing to move.
func (t *tab) as(l look) error {
	value := func(on bool, yes, no string) string {
		if on {
			return yes
		}
		return no
	}
	err := call(t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: value(l.dark, "dark", "light")},
		{Name: "forced-colors", Value: value(l.forced, "active", "none")},
		{Name: "prefers-reduced-motion", Value: value(l.moving, "no-preference", "reduce")},
	}})
	if err != nil {
		return err
	}
	return call(t, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
		Width: l.width, Height: l.height, DeviceScaleFactor: l.zoom,
	})
}

// picture writes the whole page, as it is looked at, to a file.
func (t *tab) picture(file string) error {
	height, err := eval[float64](t, `Math.max(document.documentElement.scrollHeight, innerHeight)`)
	if err != nil {
		return err
	}
	width, err := eval[float64](t, `innerWidth`)
	if err != nil {
		return err
	}
	// Good enough to judge by, quickly made, and a tenth of what all of them would weigh without loss.
	quality, beyond := int64(55), true
	shot, err := ask(t, cdppage.CaptureScreenshot, cdppage.CaptureScreenshotParams{
		Format: cdppage.CaptureScreenshotFormatJpeg, Quality: &quality, CaptureBeyondViewport: &beyond,
		Clip: &cdppage.Viewport{Width: width, Height: height, Scale: 1},
	})
	if err != nil {
		return err
	}
	return os.WriteFile(file, shot.Data, 0o600)
}
