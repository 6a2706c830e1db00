//! Under overload the least trusted are refused first, before any work is done for them.

use std::time::Duration;

use super::support::upstream::Recording;
use super::support::{House, error, field, settings, status};

const TARGET: Duration = Duration::from_millis(50);

/// A gateway, and a way to let its queue stand so many times.
async fn house(upstream: &Recording) -> (House, impl Fn(u32)) {
    let mut settings = settings(&format!("http://{}", upstream.address));
    settings.shed_after = Some(TARGET);
    let (give, take) = std::sync::mpsc::channel();
    let house = House::build(settings, |gateway| {
        give.send(gateway.clone()).expect("gateway");
        gateway
    })
    .await;
    let gateway = take.recv().expect("gateway");
    (house, move |times| (0..times).for_each(|_| gateway.shedder().observe(TARGET * 2)))
}

#[tokio::test]
async fn who_is_known_keeps_being_served_in_a_flood_of_garbage() {
    let upstream = Recording::new().await;
    let (house, overload) = house(&upstream).await;
    let other = House::new(upstream.address).await;
    let known = house.token("orders:read");
    assert_eq!(status(&house.ask_as(&known, "GET /orders/7", "").await), 200);
    overload(20);
    let mut refused = 0;
    for _ in 0..20 {
        // Good at another gateway: here each of them is a forgery that nobody has seen before.
        let answer = house.ask_as(&other.token("orders:read"), "GET /orders/7", "").await;
        if status(&answer) == 503 {
            assert_eq!(field(&answer, "retry-after"), Some("1"), "{answer}");
            assert_eq!(error(&answer), "temporarily_unavailable");
            refused += 1;
        } else {
            assert_eq!(status(&answer), 401, "what is let in is judged as ever");
        }
        assert_eq!(status(&house.ask_as(&known, "GET /orders/7", "").await), 200);
    }
    assert_eq!(refused, 18);
}

#[tokio::test]
async fn in_the_worst_of_it_everybody_is_shed_and_nobody_wholly() {
    let upstream = Recording::new().await;
    let (house, overload) = house(&upstream).await;
    let known = house.token("orders:read");
    assert_eq!(status(&house.ask_as(&known, "GET /orders/7", "").await), 200);
    overload(100);
    let (mut served, mut open) = (0, 0);
    for _ in 0..20 {
        let answer = house.ask_as(&known, "GET /orders/7", "").await;
        served += usize::from(status(&answer) == 200);
        open += usize::from(status(&house.ask("GET /open/1", "").await) == 200);
    }
    assert_eq!((served, open), (2, 2));
}
