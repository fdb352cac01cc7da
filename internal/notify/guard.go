package notify

import (
	"errors"
	"fmt"
	"net/netip"
	"syscall"
)

// errPrivate is the cause of a send refused by the guard.
var errPrivate = errors.New("the address is not on the public internet; webhooks to private addresses have to be allowed")

// special are networks that are not the public internet and that netip has no word for.
var special = func() (list []netip.Prefix) {
	for _, s := range []string{
		"0.0.0.0/8",       // this network
		"100.64.0.0/10",   // shared by providers, used inside clouds
		"192.0.0.0/24",    // protocol assignments
		"198.18.0.0/15",   // benchmarks
		"240.0.0.0/4",     // reserved, broadcast
		"64:ff9b::/96",    // NAT64: any IPv4 address
		"64:ff9b:1::/48",  // NAT64, local
		"2002::/16",       // 6to4: any IPv4 address
		"2001::/32",       // Teredo: any IPv4 address
		"fec0::/10",       // site local
		"::ffff:0:0:0/96", // SIIT
	} {
		list = append(list, netip.MustParsePrefix(s))
	}
	return list
}()

// refusePrivate is a net.Dialer's Control: it sees the address actually dialled, after the name was resolved, so that a name that
// changes its answer does not get past it.
func refusePrivate(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%w (%s)", errPrivate, address)
	}
	if !public(at.Addr()) {
		return fmt.Errorf("%w (%s)", errPrivate, at.Addr())
	}
	return nil
}

func public(ip netip.Addr) bool {
	ip = ip.Unmap()
	if !ip.IsGlobalUnicast() || ip.IsPrivate() || ip.IsLoopback() || ip.IsLinkLocalUnicast() {
		return false
	}
	for _, p := range special {
		if p.Contains(ip) {
			return false
		}
	}
	return true
}
