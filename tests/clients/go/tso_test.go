package clients

import (
	"context"
	"sort"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

type grant struct {
	sent, received time.Time
	ts             int64
}

// Many goroutines ask for timestamps while the leader is killed again and again: over all of them none comes twice, and
// none is below one that was received before it was asked for.
func TestTimestampsThroughLeaderKills(t *testing.T) {
	const goroutines, kills = 32, 3
	g := startGroup(t)
	client := g.connect()
	var (
		mu     sync.Mutex
		all    []grant
		stop   atomic.Bool
		served atomic.Int64
		wg     sync.WaitGroup
	)
	for range goroutines {
		wg.Add(1)
		go func() {
			defer wg.Done()
			var own []grant
			for !stop.Load() {
				ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
				sent := time.Now()
				physical, logical, err := client.GetTS(ctx)
				received := time.Now()
				cancel()
				if err != nil {
					time.Sleep(10 * time.Millisecond)
					continue
				}
				own = append(own, grant{sent, received, physical<<18 + logical})
				served.Add(1)
				time.Sleep(time.Millisecond)
			}
			mu.Lock()
			all = append(all, own...)
			mu.Unlock()
		}()
	}
	waitServed := func() {
		before := served.Load()
		for range 3000 {
			if served.Load() > before+2*goroutines {
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
		t.Error("nobody is served")
	}
	for range kills {
		waitServed()
		i := g.waitLeader()
		g.kill(i)
		waitServed()
		g.start(i)
		g.waitLeader()
	}
	stop.Store(true)
	wg.Wait()
	checkGrants(t, all)
	t.Logf("%d timestamps through %d kills", len(all), kills)
}

func checkGrants(t *testing.T, all []grant) {
	seen := map[int64]bool{}
	for _, a := range all {
		if seen[a.ts] {
			t.Fatalf("timestamp %d was given twice", a.ts)
		}
		seen[a.ts] = true
	}
	answered := append([]grant{}, all...)
	sort.Slice(answered, func(i, j int) bool { return answered[i].received.Before(answered[j].received) })
	sort.Slice(all, func(i, j int) bool { return all[i].sent.Before(all[j].sent) })
	highest, next := int64(0), 0
	for _, a := range all {
		for ; next < len(answered) && answered[next].received.Before(a.sent); next++ {
			highest = max(highest, answered[next].ts)
		}
		if a.ts <= highest {
			t.Fatalf("timestamp %d came after %d", a.ts, highest)
		}
	}
}

func TestAsyncTimestamps(t *testing.T) {
	client := startGroup(t).connect()
	last := int64(0)
	for range 50 {
		physical, logical, err := client.GetTSAsync(context.Background()).Wait()
		if err != nil {
			t.Fatal(err)
		}
		if now := physical<<18 + logical; now <= last {
			t.Fatalf("%d after %d", now, last)
		} else {
			last = now
		}
	}
	patiently(t, "GetMinTS", func(ctx context.Context) error {
		_, _, err := client.GetMinTS(ctx)
		return err
	})
}
