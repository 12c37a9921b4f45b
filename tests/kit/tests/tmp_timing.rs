//! x
use avatar_migrate_kit::*;
use std::time::Instant;
#[tokio::test]
async fn timing() {
    let t = Instant::now();
    let s = Seaweed::start().expect("start");
    eprintln!("start {:?}", t.elapsed());
    let t = Instant::now();
    for _ in 0..20 {
        drop(s.client());
    }
    eprintln!("20 clients {:?}", t.elapsed());
    let c = s.client();
    for i in 0..6 {
        let t = Instant::now();
        let b = s.bucket("x");
        let a = t.elapsed();
        let t = Instant::now();
        let r = c.put_object().bucket(&b).key("a").body(b"x".to_vec().into()).send().await;
        eprintln!("{i} bucket {a:?} put {:?} {:?}", t.elapsed(), r.is_ok());
        let t = Instant::now();
        c.put_object().bucket(&b).key("b").body(b"x".to_vec().into()).send().await.expect("p");
        eprintln!("  second put {:?}", t.elapsed());
    }
    let t = Instant::now();
    let bs: Vec<_> = (0..40).map(|_| s.bucket("y")).collect();
    eprintln!("40 buckets {:?}", t.elapsed());
    let t = Instant::now();
    let rs = futures::future::join_all(
        bs.iter().map(|b| c.put_object().bucket(b).key("a").body(b"x".to_vec().into()).send()),
    )
    .await;
    eprintln!("40 parallel puts {:?} bad {}", t.elapsed(), rs.iter().filter(|r| r.is_err()).count());
    let log = std::fs::read_to_string(s.directory().join("output.log")).expect("log");
    std::fs::write("/tmp/weed.log", log).expect("w");
}
