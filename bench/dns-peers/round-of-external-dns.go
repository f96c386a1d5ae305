// The round of ExternalDNS v0.22.0 over the zone of bench/dns.ts, both sides in memory: its own registry and planner, in the
// order of its controller; the provider hands out records and discards changes, as a dry run does.
package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"time"

	"sigs.k8s.io/external-dns/endpoint"
	"sigs.k8s.io/external-dns/pkg/apis/externaldns"
	"sigs.k8s.io/external-dns/plan"
	"sigs.k8s.io/external-dns/provider"
	"sigs.k8s.io/external-dns/registry/txt"
)

const zone = "bench.example.net"

type memory struct {
	provider.BaseProvider
	records []*endpoint.Endpoint
	deletes int
}

func (m *memory) Records(context.Context) ([]*endpoint.Endpoint, error) { return m.records, nil }
func (m *memory) ApplyChanges(_ context.Context, c *plan.Changes) error {
	m.deletes = len(c.Delete)
	return nil
}

type wishes struct{ endpoints []*endpoint.Endpoint }

func (w *wishes) Endpoints(context.Context) ([]*endpoint.Endpoint, error) { return w.endpoints, nil }
func (w *wishes) AddEventHandler(context.Context, func())               {}

func cpu() time.Duration {
	var r syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &r)
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

func main() {
	count, _ := strconv.Atoi(os.Args[1])
	m, w := &memory{}, &wishes{}
	for i := 0; i < count/4; i++ {
		ip := fmt.Sprintf("10.%d.%d.%d", i>>16&255, i>>8&255, i&255)
		res := fmt.Sprintf("service/apps/s%d", i)
		text := fmt.Sprintf(`"heritage=external-dns,external-dns/owner=me,external-dns/resource=%s"`, res)
		m.records = append(m.records,
			endpoint.NewEndpointWithTTL(fmt.Sprintf("s%d.%s", i, zone), "A", 300, ip),
			endpoint.NewEndpointWithTTL(fmt.Sprintf("a-s%d.%s", i, zone), "TXT", 300, text),
			endpoint.NewEndpointWithTTL(fmt.Sprintf("f%d.%s", i, zone), "A", 300, ip),
			endpoint.NewEndpointWithTTL(fmt.Sprintf("g%d.%s", i, zone), "TXT", 300, `"v=1"`))
		if i%100 != 0 {
			e := endpoint.NewEndpoint(fmt.Sprintf("s%d.%s", i, zone), "A", ip)
			e.Labels[endpoint.ResourceLabelKey] = res
			w.endpoints = append(w.endpoints, e)
		}
	}
	cfg := &externaldns.Config{TXTOwnerID: "me", ManagedDNSRecordTypes: []string{"A", "AAAA", "CNAME"}}
	r, err := txt.New(cfg, m)
	if err != nil {
		panic(err)
	}
	ctx := context.Background()
	begun, used := time.Now(), cpu()
	current, err := r.Records(ctx)
	if err != nil {
		panic(err)
	}
	desired, err := r.AdjustEndpoints(w.endpoints)
	if err != nil {
		panic(err)
	}
	p := (&plan.Plan{
		Policies:       []plan.Policy{plan.Policies["sync"]},
		Current:        current,
		Desired:        desired,
		DomainFilter:   endpoint.MatchAllDomainFilters{endpoint.NewDomainFilter([]string{zone}), r.GetDomainFilter()},
		ManagedRecords: cfg.ManagedDNSRecordTypes,
		OwnerID:        r.OwnerID(),
	}).Calculate()
	if err := r.ApplyChanges(ctx, p.Changes); err != nil {
		panic(err)
	}
	ms, us := time.Since(begun).Milliseconds(), (cpu() - used).Milliseconds()
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	fmt.Printf(`{"version":"0.22.0","ms":%d,"cpu":%d,"mb":%d,"deletes":%d}`+"\n", ms, us, u.Maxrss/1024, m.deletes)
}
