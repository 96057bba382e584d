package main

import "time"

// story tells, from step to step, what happens beside the queue: a policy that arrives while
// the link is up, a key that is withdrawn while it is down. From then on the link alone goes
// and comes.
func (d *demo) story() (next func() error) {
	cut := func() error {
		d.link.cut()
		d.say("          ----  the link to the region is cut; the gate goes on\n")
		return nil
	}
	mend := func() error {
		d.link.mend()
		d.say("          ----  the link is back; the book catches up\n")
		return nil
	}
	quiet := func() error { return nil }
	once := []func() error{d.raiseRisk, cut, d.withdrawKey, mend}
	always := []func() error{quiet, cut, quiet, mend}
	n := 0
	return func() error {
		n++
		if n <= len(once) {
			return once[n-1]()
		}
		return always[(n-1)%len(always)]()
	}
}

// raiseRisk lets two of the region's people sign a policy whose table of risk has one line
// more, and the desk publish it.
func (d *demo) raiseRisk() error {
	now := time.Now()
	d.kit.of(hangzhou).policy = demoPolicy(2, now, riskAfter())
	if err := d.kit.publish(d.dir, hangzhou, now); err != nil {
		return err
	}
	d.say("          ----  two people of Hangzhou signed policy 2: Shulan is high-risk now; the gate fetches it\n")
	return nil
}

// withdrawKey lets two of Chengdu's people take back the key of their issuer.
func (d *demo) withdrawKey() error {
	r := d.kit.of(chengdu)
	r.list++
	r.keys[0].withdrawn = true
	if err := d.kit.publish(d.dir, chengdu, time.Now()); err != nil {
		return err
	}
	d.say("          ----  two people of Chengdu withdrew their issuer's key; the gate learns of it when the link is back\n")
	return nil
}
