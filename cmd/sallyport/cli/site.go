package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"
)

// site is where something of the demonstration is found: a URL, and the listeners behind it.
type site struct {
	url string
	on  []net.Listener
}

func (p site) close() error {
	var err error
	for _, l := range p.on {
		err = errors.Join(err, l.Close())
	}
	return err
}

// The two addresses that localhost means to browsers, which try one and then the other.
const (
	loopback4 = "127.0.0.1"
	loopback6 = "::1"
)

// triesForPort is how often a free port is looked for that is free on both.
const triesForPort = 20

// listenHere listens on a loopback address. What localhost means is listened on wholly, and called localhost, for which
// browsers make passkeys; they make none for addresses.
func listenHere(ctx context.Context, address, where string) (site, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return site{}, err
	}
	if host != "localhost" && host != loopback4 && host != loopback6 {
		l, err := listen(ctx, address, where)
		if err != nil {
			return site{}, err
		}
		return site{"http://" + l.Addr().String(), []net.Listener{l}}, nil
	}
	for try := 1; ; try++ {
		p, err := listenBoth(ctx, port, where)
		if err == nil || port != "0" || try == triesForPort {
			return p, err
		}
	}
}

// listenBoth listens on a port of both addresses, or of the one that this machine has. Where another program has the
// port on one of them, half of the browsers would end there: that is an error.
func listenBoth(ctx context.Context, port, where string) (site, error) {
	var p site
	for _, host := range [...]string{loopback4, loopback6} {
		l, err := listen(ctx, net.JoinHostPort(host, port), where)
		if errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.EAFNOSUPPORT) {
			continue
		}
		if err != nil {
			return site{}, errors.Join(err, p.close())
		}
		p.on = append(p.on, l)
		if _, port, err = net.SplitHostPort(l.Addr().String()); err != nil {
			return site{}, errors.Join(err, p.close())
		}
	}
	if len(p.on) == 0 {
		return site{}, finding{
			What: "this machine has no loopback address", Where: where, Do: "bring its loopback interface up, as by “ip link set lo up”",
		}
	}
	p.url = "http://" + net.JoinHostPort("localhost", port)
	return p, nil
}

func nextPort(address string) (string, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "", err
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 65535 {
		return "", finding{What: fmt.Sprintf("there is no port after %s", port), Where: "--listen", Do: "give --app-listen as well"}
	}
	if n > 0 {
		n++
	}
	return net.JoinHostPort(host, strconv.FormatUint(n, 10)), nil
}
