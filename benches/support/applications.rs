//! Fifty applications, in a perfect hash that the compiler makes: the best that a server's own code could hold.

macro_rules! applications {
    ($($number:tt $id:tt)*) => {
        /// Their ids, as the platform makes them.
        pub(crate) const APPLICATIONS: [&str; 50] = [$($id),*];

        /// Their numbers.
        pub(crate) static NUMBERS: phf::Map<&'static str, u64> = phf::phf_map! { $($id => $number),* };
    };
}

applications! {
    0 "26auCJp8cHzlQEWht8NC1Wd3N52OWt3O"
    1 "2VcbNs6UPKlNfprBQuXpxxSrWLYubZWW"
    2 "uONUCzDhTCjoACmMCdN674VPmtFehhIR"
    3 "z5S16IlLZuKSPCmDL6sbSble9uhXq2G9"
    4 "xrZAAXepSpw6ACEWTNdd0WJhLOkXToEr"
    5 "LugaBQ6MppmduKdMcbaKEFJgcY04PX6c"
    6 "OtmrMwKx9v0YgYcS9mDyQk2nH1MuUAJ0"
    7 "2RyPA2EFAV296DuKOaY15QMhUxY44TRW"
    8 "hbQw8KdzKYC5JkAkJyGX1qwRKlpGGiFq"
    9 "udVROzLpF0CVYy71uCPLYV9nubuDbh4I"
    10 "TjNqEVQs0fzGdjaNtEU7xvOdLMfxM1Yv"
    11 "SOmqFiQmA5eJyQ90igFSNWEnz91eO9jo"
    12 "ovm4gfnvE0rGRV3XM4Z4U2htVAZDVxGm"
    13 "5frKvHxBj3OIgKfdvGHnaZoxd38PqaMt"
    14 "n5C3FxaL7kZdwgKPvWOfHc6HwgG1BnPv"
    15 "DkPpyjEodN6yQVP9wx4ldB3ZQlFr3WZ1"
    16 "dqYO28s0iMRZEYpP0YYPpkFy5YV0CspA"
    17 "w2PKEhaqvhZXWQFIIIPtYJPE5tWrXaxz"
    18 "tNFRl89ODivV4Q88bw9ykwS2v6km97eV"
    19 "QArzOzCx2NEv3Np3BGthcxOq6csRHpYn"
    20 "tCcxkgRJOIZtnWZpUMBC6xdcV1cQGWes"
    21 "qjIzLiqk6J5mtEPWywWGLHm65TyzXLeb"
    22 "xvTRf4w0Y1Q8oyiaijAdbd7mluWBtDEL"
    23 "JtPjh1TlAQxUlbAeYFAb9AVWhKHrB7c9"
    24 "4qR0D3QwrxmnaqiYb1VOJyTLHM25dPdz"
    25 "51nFSEvtLwkqQxFbitWSq8YwrdVQfAmQ"
    26 "9AqGV7RgxErcZooj1dDBdVVZ5kloXPFh"
    27 "3Qe9vEuK8NjP59hcZez5I6q3PgPMV0ca"
    28 "IzCTqiqkXwRpAeIIbASeEVtmC1hmAuGV"
    29 "5rsgYRoLVlAt7fiXTEyhtxXjjYRUUszB"
    30 "QjdJi9Bmrvij8nRqVyAuFh0R1miCXW2D"
    31 "4hqvZHN9y0ci72ZSxbgdUXlb7KofCkrP"
    32 "ZYF4oLj24IrDBM53O9b2TJnZq4eoNTOJ"
    33 "3RwzUrwuoHh5bLVZAlfvTm7UWeOt5D6r"
    34 "4dW4Ffr1H5c95iomeivfDw1zcSEIGKxE"
    35 "PDIfSONhNZ2lAYYz60EwWQmsUMeHZ1QM"
    36 "BQetJ4vFP2wRb1THIKBtdUM6l0wneUV8"
    37 "9mHqWtJ0ayuHaUlVrD5rTvnGoOWZ3nzy"
    38 "jXbmVGMW1ZzbQVkgOryvse6NKnHDiXvo"
    39 "T1kliFTUJT9bBERL6rTKVx497NdI4ONy"
    40 "STXhiHdeY1cy7unGkxtyplVuPR3CyEOL"
    41 "PZiwzmNTx3IQj1nRpAJf1mV4f6eqc4XV"
    42 "ka8LTLaaICPzKWnO0XKAPfcB16fUGLbA"
    43 "pYc5AgmjkVdBm3U5Lc5qrDFZP5j0scIE"
    44 "3TqwEYTifnp35CEGhqVSSHfgJejo96wx"
    45 "q4LghH8rOvhUGZSBEIMiJI51WbVrk7gN"
    46 "4uHCo28vwhZs2yjPNUxU5a437cW6E5GH"
    47 "6G7u7e8qQqDcovmFOcBO4h4bjj3Yxt7L"
    48 "Oj5vEtrSzVJffr0f1DZSVgmqnx371ErD"
    49 "OLz3Kr8oJYnGjvSR85oMUckCycX8aoAe"
}
