package clients

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pingcap/kvproto/pkg/metapb"
	"github.com/pingcap/kvproto/pkg/pdpb"
	"github.com/tikv/pd/client/clients/router"
	"github.com/tikv/pd/client/opt"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

const regions = 10

func key(i int) []byte {
	if i <= 0 || i >= regions {
		return nil
	}
	return []byte(fmt.Sprintf("k%02d", i))
}

// leaderStub speaks to the leader without the client's library.
func leaderStub(t *testing.T, g *group) pdpb.PDClient {
	address := g.urls[g.waitLeader()][len("http://"):]
	conn, err := grpc.Dial(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return pdpb.NewPDClient(conn)
}

// fill plays three stores: bootstraps the cluster and reports regions 101… of [k0, k1), [k1, k2)… on all of them.
func fill(t *testing.T, g *group, clusterID uint64) {
	stub := leaderStub(t, g)
	header := &pdpb.RequestHeader{ClusterId: clusterID}
	ctx := context.Background()
	store := func(id uint64) *metapb.Store {
		return &metapb.Store{Id: id, Address: fmt.Sprintf("tikv%d:20160", id), Version: "8.5.0"}
	}
	whole := &metapb.Region{Id: 101, RegionEpoch: &metapb.RegionEpoch{ConfVer: 1, Version: 1},
		Peers: []*metapb.Peer{{Id: 1011, StoreId: 1}}}
	answer, err := stub.Bootstrap(ctx, &pdpb.BootstrapRequest{Header: header, Store: store(1), Region: whole})
	if err != nil || answer.GetHeader().GetError() != nil {
		t.Fatal(err, answer)
	}
	for id := uint64(2); id <= 3; id++ {
		answer, err := stub.PutStore(ctx, &pdpb.PutStoreRequest{Header: header, Store: store(id)})
		if err != nil || answer.GetHeader().GetError() != nil {
			t.Fatal(err, answer)
		}
	}
	beat, err := stub.StoreHeartbeat(ctx, &pdpb.StoreHeartbeatRequest{Header: header,
		Stats: &pdpb.StoreStats{StoreId: 1, Capacity: 1 << 40, Available: 1 << 39, UsedSize: 1 << 38}})
	if err != nil || beat.GetHeader().GetError() != nil {
		t.Fatal(err, beat)
	}
	stream, err := stub.RegionHeartbeat(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for i := range regions {
		id := uint64(101 + i)
		region := &metapb.Region{Id: id, StartKey: key(i), EndKey: key(i + 1),
			RegionEpoch: &metapb.RegionEpoch{ConfVer: 3, Version: regions},
			Peers:       []*metapb.Peer{{Id: 10*id + 1, StoreId: 1}, {Id: 10*id + 2, StoreId: 2}, {Id: 10*id + 3, StoreId: 3}}}
		err := stream.Send(&pdpb.RegionHeartbeatRequest{Header: header, Region: region, Leader: region.Peers[0],
			ApproximateSize: 96 << 20, ApproximateKeys: 1000, Term: 5})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// checkMetrics wants stores and heartbeats on the leader's metrics page, and no state of stores on the others'.
func checkMetrics(t *testing.T, g *group) {
	t.Helper()
	leader := g.waitLeader()
	for i, url := range g.urls {
		page := g.metrics(url)
		if i != leader {
			if strings.Contains(page, "pd_scheduler_store_status") || strings.Contains(page, "pd_cluster_status") {
				t.Errorf("%s does not lead and shows stores:\n%s", g.names[i], page)
			}
			continue
		}
		const first = `{address="tikv1:20160",store="1"`
		for _, line := range []string{
			fmt.Sprintf(`pd_scheduler_region_heartbeat%s,type="report",status="recv"} %d`, first, regions),
			fmt.Sprintf(`pd_scheduler_region_heartbeat%s,type="report",status="ok"} %d`, first, regions),
			fmt.Sprintf(`pd_scheduler_region_heartbeat%s,type="report",status="bind"} 1`, first),
			fmt.Sprintf(`pd_scheduler_handle_region_heartbeat_duration_seconds_count%s} %d`, first, regions),
			fmt.Sprintf(`pd_scheduler_handle_store_heartbeat_duration_seconds_count%s} 1`, first),
			fmt.Sprintf(`pd_scheduler_store_status%s,type="leader_count"} %d`, first, regions),
			fmt.Sprintf(`pd_scheduler_store_status%s,type="store_capacity"} %d`, first, int64(1)<<40),
			fmt.Sprintf(`pd_cluster_region_event{event="update_cache"} %d`, regions),
			`pd_cluster_status{type="store_up_count",engine="tikv",store="1"} 1`,
			`pd_config_status{type="max-replicas"} 3`,
		} {
			if !strings.Contains(page, line+"\n") {
				t.Errorf("no line %s in:\n%s", line, page)
			}
		}
		for _, name := range []string{"pd_region_syncer_status{", "pd_cluster_store_limit{", "pd_cluster_health_status{"} {
			if !strings.Contains(page, "\n"+name) {
				t.Errorf("no %s in:\n%s", name, page)
			}
		}
	}
}

func TestLookups(t *testing.T) {
	g := startGroup(t)
	client := g.connect()
	fill(t, g, client.GetClusterID(context.Background()))
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	for try := 0; ; try++ { // Heartbeats are handled behind the stream.
		r, err := client.GetRegionByID(ctx, 101+regions-1)
		if err == nil && r != nil && r.Leader != nil {
			break
		}
		if try == 200 {
			t.Fatal("the regions do not come up: ", err)
		}
		time.Sleep(20 * time.Millisecond)
	}

	checkMetrics(t, g)
	members, err := client.GetAllMembers(ctx)
	if err != nil || len(members.GetMembers()) != 3 || members.GetLeader() == nil {
		t.Error("members:", members, err)
	}
	stores, err := client.GetAllStores(ctx)
	if err != nil || len(stores) != 3 {
		t.Error("stores:", stores, err)
	}
	if s, err := client.GetStore(ctx, 2); err != nil || s.GetAddress() != "tikv2:20160" {
		t.Error("store 2:", s, err)
	}
	if s, err := client.GetStore(ctx, 9); err == nil && s != nil {
		t.Error("store 9 is not there:", s)
	}

	want := func(what string, i int, r *router.Region, err error) {
		t.Helper()
		if err != nil || r == nil || r.Meta.GetId() != uint64(101+i) || r.Leader.GetStoreId() != 1 ||
			!bytes.Equal(r.Meta.StartKey, key(i)) || !bytes.Equal(r.Meta.EndKey, key(i+1)) || len(r.Meta.Peers) != 3 {
			t.Errorf("%s: want region %d, got %+v, %v", what, 101+i, r, err)
		}
	}
	r, err := client.GetRegion(ctx, []byte("k03x"))
	want("by key", 3, r, err)
	r, err = client.GetRegion(ctx, nil)
	want("by the empty key", 0, r, err)
	r, err = client.GetPrevRegion(ctx, []byte("k03"))
	want("before", 2, r, err)
	r, err = client.GetRegionByID(ctx, 105)
	want("by id", 4, r, err)
	if r, err := client.GetRegionByID(ctx, 999); err != nil || r != nil {
		t.Error("region 999 is not there:", r, err)
	}
	list, err := client.ScanRegions(ctx, []byte("k02"), []byte("k05"), 10)
	if err != nil || len(list) != 3 {
		t.Fatal("scan:", list, err)
	}
	for i, r := range list {
		want("scan", 2+i, r, nil)
	}
	list, err = client.BatchScanRegions(ctx, []router.KeyRange{
		{StartKey: []byte("k01"), EndKey: []byte("k02")}, {StartKey: []byte("k07"), EndKey: []byte("k09")}}, 10)
	if err != nil || len(list) != 3 {
		t.Fatal("batch scan:", list, err)
	}
	want("batch scan", 8, list[2], nil)
	// The second range begins in the region that the first ended in: it is told once, and not counted twice.
	seam := []router.KeyRange{{StartKey: []byte("k01"), EndKey: []byte("k01b")}, {StartKey: []byte("k01d"), EndKey: []byte("k03")}}
	for _, limit := range []int{2, 10} {
		list, err = client.BatchScanRegions(ctx, seam, limit)
		if err != nil || len(list) != 2 {
			t.Fatal("batch scan over a seam:", list, err)
		}
		want("batch scan over a seam", 1, list[0], nil)
		want("batch scan over a seam", 2, list[1], nil)
	}

	followers := g.connect(opt.WithForwardingOption(true))
	_ = followers.UpdateOption(opt.EnableFollowerHandle, true)
	for range 20 {
		r, err = followers.GetRegion(ctx, []byte("k06"), opt.WithAllowFollowerHandle())
		want("through a follower", 6, r, err)
	}
}

func TestStoreHeartbeats(t *testing.T) {
	g := startGroup(t)
	client := g.connect()
	ctx := context.Background()
	header := &pdpb.RequestHeader{ClusterId: client.GetClusterID(ctx)}
	fill(t, g, header.ClusterId)
	stub := leaderStub(t, g)
	beat := func(request *pdpb.StoreHeartbeatRequest) *pdpb.StoreHeartbeatResponse {
		t.Helper()
		request.Header = header
		answer, err := stub.StoreHeartbeat(ctx, request)
		if err != nil {
			t.Fatal(err)
		}
		return answer
	}
	stats := func(id, slowScore uint64) *pdpb.StoreHeartbeatRequest {
		return &pdpb.StoreHeartbeatRequest{Stats: &pdpb.StoreStats{StoreId: id, SlowScore: slowScore}}
	}

	// A slow store wakes the regions of the others, once.
	if a := beat(stats(3, 100)); a.AwakenRegions != nil {
		t.Error("a slow store is not woken:", a)
	}
	if a := beat(stats(1, 1)); !slices.Equal(a.GetAwakenRegions().GetAbnormalStores(), []uint64{3}) {
		t.Error("store 1 must wake its regions because of store 3:", a)
	}
	if a := beat(stats(1, 1)); a.AwakenRegions != nil {
		t.Error("store 1 was woken just now:", a)
	}
	if a := beat(stats(9, 1)); a.GetHeader().GetError().GetMessage() != "store 9 not found" {
		t.Error("store 9 is not there:", a)
	}

	// With a report for unsafe recovery the statistics do not count: store 3 stays slow.
	report := stats(3, 1)
	report.StoreReport = &pdpb.StoreReport{}
	if a := beat(report); a.GetHeader().GetError() != nil {
		t.Error("a report of store 3:", a)
	}
	if a := beat(stats(2, 1)); !slices.Equal(a.GetAwakenRegions().GetAbnormalStores(), []uint64{3}) {
		t.Error("store 2 must wake its regions because of store 3:", a)
	}

	// A damaged peer goes; regions that the store does not hold are passed over.
	patiently(t, "the regions", func(ctx context.Context) error {
		if r, err := client.GetRegionByID(ctx, 101+regions-1); err != nil || r == nil || r.Leader == nil {
			return fmt.Errorf("not yet: %v", err)
		}
		return nil
	})
	damaged := stats(2, 1)
	damaged.Stats.DamagedRegionsId = []uint64{999, 105}
	beat(damaged)
	beat(damaged) // Once is enough.
	op, err := stub.GetOperator(ctx, &pdpb.GetOperatorRequest{Header: header, RegionId: 105})
	if err != nil || string(op.GetDesc()) != "admin-remove-peer" || string(op.GetKind()) != "admin,region" ||
		op.GetStatus() != pdpb.OperatorStatus_RUNNING {
		t.Error("the peer of region 105 on store 2 must go:", op, err)
	}
}

func TestSafePoints(t *testing.T) {
	g := startGroup(t)
	client := g.connect()
	fill(t, g, client.GetClusterID(context.Background()))
	expect := func(what string, want uint64, call func(context.Context) (uint64, error)) {
		t.Helper()
		patiently(t, what, func(ctx context.Context) error {
			got, err := call(ctx)
			if err == nil && got != want {
				t.Errorf("%s: want %d, got %d", what, want, got)
			}
			return err
		})
	}
	gc := func(to uint64) func(context.Context) (uint64, error) {
		return func(ctx context.Context) (uint64, error) { return client.UpdateGCSafePoint(ctx, to) }
	}
	service := func(id string, ttl int64, at uint64) func(context.Context) (uint64, error) {
		return func(ctx context.Context) (uint64, error) { return client.UpdateServiceGCSafePoint(ctx, id, ttl, at) }
	}
	expect("gc_worker sets the bound", 200, service("gc_worker", math.MaxInt64, 200))
	expect("a service holds 250", 200, service("br", 3600, 250))
	expect("gc_worker stops there", 250, service("gc_worker", math.MaxInt64, 300))
	expect("the service leaves", 250, service("br", 0, 0))
	expect("gc_worker goes on", 300, service("gc_worker", math.MaxInt64, 300))
	expect("first safe point", 100, gc(100))
	expect("a safe point does not go back", 100, gc(50))
	expect("it may reach the bound", 300, gc(300))
	if _, err := client.UpdateGCSafePoint(context.Background(), 301); err == nil {
		t.Error("a safe point passed the bound")
	}
}

func TestMetaStorage(t *testing.T) {
	client := startGroup(t).connect()
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	prefix := []byte("/test/meta/")
	events, err := client.Watch(ctx, prefix, opt.WithPrefix())
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []string{"one", "two"} {
		patiently(t, "Put", func(ctx context.Context) error {
			_, err := client.Put(ctx, append(append([]byte{}, prefix...), 'a'), []byte(v))
			return err
		})
	}
	resp, err := client.Get(ctx, prefix, opt.WithPrefix())
	if err != nil || len(resp.GetKvs()) != 1 || string(resp.GetKvs()[0].Value) != "two" {
		t.Fatal("Get:", resp, err)
	}
	var got []string
	for len(got) < 2 {
		select {
		case batch := <-events:
			for _, e := range batch {
				got = append(got, string(e.GetKv().GetValue()))
			}
		case <-ctx.Done():
			t.Fatal("watched only ", got)
		}
	}
	if got[0] != "one" || got[1] != "two" {
		t.Error("watched", got)
	}
}
